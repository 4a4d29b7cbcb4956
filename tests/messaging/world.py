"""What conversations are, in memory: the model that the services are compared with.

Written from the promises, not from the code: nothing here knows of a database.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from messaging import errors

Name = str
Refusal = type[errors.DomainError] | None


@dataclass(slots=True)
class Notice:
    kind: str
    position: int
    unread: bool = True


@dataclass(slots=True)
class Letter:
    """A message; a tombstone has no sender."""

    id: int
    sequence: int
    sender: Name | None
    parent: int | None
    versions: list[str]
    notices: dict[Name, Notice] = field(default_factory=dict)

    @property
    def content(self) -> str:
        return self.versions[-1]

    @property
    def read(self) -> bool:
        return not any(notice.unread for notice in self.notices.values())

    def bury(self) -> None:
        self.sender, self.versions = None, [""]
        self.notices.clear()


@dataclass(slots=True)
class Member:
    # Of messages that were there when they came: the version that they first see.
    first_seen: dict[int, int]


@dataclass(slots=True)
class Room:
    """A conversation; a direct one has no owner. Members stand as they came."""

    id: int
    owner: Name | None
    members: dict[Name, Member] = field(default_factory=dict)
    letters: dict[int, Letter] = field(default_factory=dict)
    last_sequence: int = 0

    @property
    def direct(self) -> bool:
        return self.owner is None

    def let_in(self, name: Name) -> None:
        self.members.setdefault(
            name,
            Member(
                {letter.id: len(letter.versions) for letter in self.letters.values()}
            ),
        )

    def put_out(self, name: Name) -> None:
        del self.members[name]
        for letter in self.letters.values():
            letter.notices.pop(name, None)
        if self.owner == name:
            self.owner = next(iter(self.members), "")

    def replies(self, letter_id: int) -> list[Letter]:
        """Direct ones, oldest first."""
        return [one for one in self.letters.values() if one.parent == letter_id]

    def below(self, letter_id: int) -> Iterator[tuple[int, int]]:
        """All replies in reading order, each with its depth."""
        waiting = [(one, 1) for one in reversed(self.replies(letter_id))]
        while waiting:
            letter, depth = waiting.pop()
            yield letter.id, depth
            waiting += [(one, depth + 1) for one in reversed(self.replies(letter.id))]

    def refusal_to_sender(self, letter: Letter, name: Name) -> Refusal:
        if name not in self.members:
            return errors.MessageNotFoundError
        if letter.sender is None:
            return errors.DeletedMessageError
        return None if letter.sender == name else errors.NotSenderError

    def refusal_to_reader(self, letter: Letter, name: Name) -> Refusal:
        if name not in self.members:
            return errors.MessageNotFoundError
        if letter.sender is None:
            return errors.DeletedMessageError
        return errors.OwnMessageError if letter.sender == name else None

    def refusal_to_owner(self, name: Name) -> Refusal:
        if name not in self.members:
            return errors.ConversationNotFoundError
        if self.direct:
            return errors.DirectConversationError
        return None if self.owner == name else errors.NotOwnerError

    def visible(self, letter: Letter, reader: Name) -> list[str]:
        """The versions that a member may see."""
        if letter.sender is None:
            return []
        first = 1
        if letter.sender != reader:
            first = self.members[reader].first_seen.get(letter.id, 1)
        return letter.versions[first - 1 :]

    def erase(self, letter: Letter) -> None:
        """Take a message out, or leave its place above replies."""
        letter.bury()
        self.sweep()

    def sweep(self) -> None:
        """Take out the tombstones that keep nothing."""
        while needless := self._needless():
            for letter in needless:
                del self.letters[letter.id]

    def _needless(self) -> list[Letter]:
        return [
            one
            for one in self.letters.values()
            if one.sender is None and not self.replies(one.id)
        ]


@dataclass(slots=True)
class World:
    people: set[Name] = field(default_factory=set)
    rooms: dict[int, Room] = field(default_factory=dict)
    blocks: set[tuple[Name, Name]] = field(default_factory=set)
    position: int = 0

    def room_of(self, letter_id: int) -> Room:
        return next(room for room in self.rooms.values() if letter_id in room.letters)

    def direct(self, one: Name, other: Name) -> Room | None:
        return next(
            (
                room
                for room in self.rooms.values()
                if room.direct and room.members.keys() == {one, other}
            ),
            None,
        )

    def blocked(self, one: Name, other: Name) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def silenced(self, room: Room, sender: Name) -> bool:
        """Whether a block stands between the two of a direct conversation."""
        return room.direct and any(
            self.blocked(sender, name) for name in room.members if name != sender
        )

    def write(
        self, room: Room, letter_id: int, sender: Name, content: str, parent: int | None
    ) -> None:
        room.last_sequence += 1
        letter = Letter(letter_id, room.last_sequence, sender, parent, [content])
        room.letters[letter_id] = letter
        self.position += 1
        for name in room.members:
            if name != sender:
                self.tell(room, letter, name)

    def tell(self, room: Room, letter: Letter, name: Name) -> None:
        answered = room.letters[letter.parent].sender if letter.parent else None
        mentioned = f"@{name}" in letter.content.split()
        kind = "mention" if mentioned else "reply" if name == answered else "message"
        letter.notices[name] = Notice(kind, self.position)

    def bring_back(self, room: Room, letter: Letter, name: Name) -> None:
        """To its old place in the inbox, if it had one."""
        if name in letter.notices:
            letter.notices[name].unread = True
        else:
            self.position += 1
            self.tell(room, letter, name)

    def unread(self, name: Name) -> list[int]:
        """The inbox, newest first."""
        found = [
            (letter.notices[name].position, letter.id)
            for room in self.rooms.values()
            for letter in room.letters.values()
            if name in letter.notices and letter.notices[name].unread
        ]
        return [letter_id for _, letter_id in sorted(found, reverse=True)]

    def mark_read(self, name: Name, room: Room, up_to: int) -> None:
        for letter in room.letters.values():
            if letter.sequence <= up_to and name in letter.notices:
                letter.notices[name].unread = False

    def clear(self, name: Name, up_to: int) -> None:
        for room in self.rooms.values():
            for letter in room.letters.values():
                notice = letter.notices.get(name)
                if notice is not None and notice.position <= up_to:
                    notice.unread = False

    def forget(self, name: Name) -> None:
        """Nothing of a person is left, and nobody else loses anything."""
        self.people.discard(name)
        self.blocks = {pair for pair in self.blocks if name not in pair}
        for room in list(self.rooms.values()):
            if room.direct and name in room.members:
                del self.rooms[room.id]
                continue
            for letter in room.letters.values():
                if letter.sender == name:
                    letter.bury()
            room.sweep()
            if name in room.members:
                self.leave(room, name)

    def leave(self, room: Room, name: Name) -> None:
        room.put_out(name)
        if not room.members:
            del self.rooms[room.id]
