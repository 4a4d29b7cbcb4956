"""Whatever people do, in whatever order: the services do what the model does.

Every rule asks the services and the model, and expects the model's refusals; after
every step the tables and the answers are compared with the model.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from messaging import errors
from messaging.access import OwnMessage
from messaging.ids import MessageId, Sequence, UserId
from messaging.models import Conversation, Message, User
from messaging.services import (
    blocks,
    conversations,
    history,
    inbox,
    messages,
    notifications,
    participants,
    users,
)
from messaging.services.consistency import find_inconsistencies
from messaging.services.deletion import preview_deletion
from tests.messaging.comparison import (
    compare,
    compare_letter,
    compare_pages,
    compare_reader,
    shown_pages,
)
from tests.messaging.world import Letter, Refusal, Room, World
from tests.proofs import own_of, owned_by, part_of, received_by

PEOPLE: Final = ("ann", "bob", "cleo", "dora")

# Turned into one of what there is when the step is taken.
some = st.integers(0, 1000)
names = st.sampled_from(PEOPLE)
contents = st.sampled_from(
    ["hello", "hi @ann", "@bob and @cleo !", "@dora now", "@nobody", "  trimmed "]
) | st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1)

SOME: Final = settings(
    max_examples=100,
    stateful_step_count=30,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MANY: Final = settings(
    SOME, max_examples=1000, stateful_step_count=50, derandomize=False, database=None
)


@contextmanager
def expect(refusal: Refusal) -> Iterator[None]:
    if refusal is None:
        yield
    else:
        with pytest.raises(refusal):
            yield


def something_written(machine: "Conversing") -> bool:
    return any(room.letters for room in machine.world.rooms.values())


def somewhere(machine: "Conversing") -> bool:
    return bool(machine.world.rooms)


class Conversing(RuleBasedStateMachine):
    """Four people; whoever is deleted may come again under the same name."""

    @override
    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.world = World()
        self.users: dict[str, User] = {}
        self.seen: list[tuple[str, str, int]] = []
        self.pages = shown_pages()
        self.steps = count()

    @override
    def teardown(self) -> None:
        try:
            assert list(find_inconsistencies()) == []
            # What a commit would check.
            connection.check_constraints()
        finally:
            transaction.set_rollback(True)
            self.undone.__exit__(None, None, None)

    @initialize()
    def begin(self) -> None:
        for name in PEOPLE:
            self.come(name)
        self.start_group("ann", {"bob", "cleo"})
        self.send(0, "ann", "hello")
        self.reply(0, "bob", "hi @ann")
        self.reply(1, "cleo", "hi")
        self.send_direct("ann", "dora", "hello")

    @rule(name=names)
    def come(self, name: str) -> None:
        if name not in self.world.people:
            self.users[name] = User.objects.create_user(name, None, name)
            self.world.people.add(name)

    @rule(owner=names, members=st.sets(names))
    def start_group(self, owner: str, members: set[str]) -> None:
        self.come(owner)
        others = sorted(
            (members & self.world.people) - {owner},
            key=lambda name: self.users[name].pk,
        )
        blocked = any(self.world.blocked(owner, name) for name in others)
        with expect(errors.NotDeliverableError if blocked else None):
            opened = conversations.start_group(
                owner=self.users[owner], title="Group", usernames=[owner, *others]
            )
            room = self.world.rooms[opened.conversation.pk] = Room(
                opened.conversation.pk, owner
            )
            for name in (owner, *others):
                room.let_in(name)

    @rule(sender=names, receiver=names, content=contents)
    def send_direct(self, sender: str, receiver: str, content: str) -> None:
        self.come(sender)
        self.come(receiver)
        refusal: Refusal = None
        if sender == receiver:
            refusal = errors.SelfMessageError
        elif self.world.blocked(sender, receiver):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            message = messages.send_direct_message(
                sender=self.users[sender],
                receiver=self.users[receiver],
                content=content,
                parent_id=None,
            )
            room = self.world.direct(sender, receiver)
            if room is None:
                room = Room(message.conversation_id, None)
                self.world.rooms[room.id] = room
                room.let_in(sender)
                room.let_in(receiver)
            self.world.write(room, message.pk, sender, content.strip(), None)

    @precondition(somewhere)
    @rule(where=some, sender=names, content=contents)
    def send(self, where: int, sender: str, content: str) -> None:
        self.write(self.room(where), sender, content, None)

    @precondition(something_written)
    @rule(to=some, sender=names, content=contents)
    def reply(self, to: int, sender: str, content: str) -> None:
        room, letter = self.letter(to)
        self.write(room, sender, content, letter)

    def write(
        self, room: Room, sender: str, content: str, parent: Letter | None
    ) -> None:
        refusal: Refusal = None
        if sender not in room.members:
            refusal = errors.ConversationNotFoundError
        elif self.world.silenced(room, sender):
            refusal = errors.NotDeliverableError
        elif parent is not None and parent.sender is None:
            refusal = errors.DeletedMessageError
        with expect(refusal):
            sent = messages.send_message(
                membership=part_of(self.user(sender), Conversation(pk=room.id)),
                content=content,
                parent_id=None if parent is None else MessageId(parent.id),
            )
            parent_id = None if parent is None else parent.id
            self.world.write(room, sent.pk, sender, content.strip(), parent_id)

    @precondition(something_written)
    @rule(what=some, editor=names, content=contents)
    def edit(self, what: int, editor: str, content: str) -> None:
        room, letter = self.letter(what)
        self.rewrite(
            room,
            letter,
            editor,
            content.strip(),
            lambda message: messages.edit_message(message=message, content=content),
        )

    @precondition(something_written)
    @rule(what=some, editor=names, back=some)
    def restore(self, what: int, editor: str, back: int) -> None:
        room, letter = self.letter(what)
        version = 1 + back % len(letter.versions)
        self.rewrite(
            room,
            letter,
            editor,
            letter.versions[version - 1],
            lambda message: history.restore_version(message=message, version=version),
        )

    def rewrite(
        self,
        room: Room,
        letter: Letter,
        editor: str,
        content: str,
        write: Callable[[OwnMessage], Message],
    ) -> None:
        changed = content != letter.content
        refusal = room.refusal_to_sender(letter, editor)
        if refusal is None and changed and self.world.silenced(room, editor):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            write(own_of(self.user(editor), Message(pk=letter.id)))
            if changed:
                letter.versions.append(content)

    @precondition(something_written)
    @rule(what=some, who=names)
    def delete(self, what: int, who: str) -> None:
        room, letter = self.letter(what)
        with expect(room.refusal_to_sender(letter, who)):
            messages.delete_message(
                message=own_of(self.user(who), Message(pk=letter.id))
            )
            room.erase(letter)

    @precondition(something_written)
    @rule(what=some, reader=names)
    def read(self, what: int, reader: str) -> None:
        room, letter = self.letter(what)
        with expect(room.refusal_to_reader(letter, reader)):
            user = self.user(reader)
            notifications.mark_message_read(
                message=received_by(user, Message(pk=letter.id)), reader=UserId(user.pk)
            )
            if reader in letter.notices:
                letter.notices[reader].unread = False

    @precondition(something_written)
    @rule(what=some, reader=names)
    def unread(self, what: int, reader: str) -> None:
        room, letter = self.letter(what)
        with expect(room.refusal_to_reader(letter, reader)):
            user = self.user(reader)
            notifications.mark_message_unread(
                message=received_by(user, Message(pk=letter.id)), reader=UserId(user.pk)
            )
            self.world.bring_back(room, letter, reader)

    @precondition(something_written)
    @rule(what=some, reader=names)
    def read_up_to(self, what: int, reader: str) -> None:
        room, letter = self.letter(what)
        missing = reader not in room.members
        with expect(errors.ConversationNotFoundError if missing else None):
            notifications.mark_conversation_read(
                membership=part_of(self.user(reader), Conversation(pk=room.id)),
                up_to=Sequence(letter.sequence),
            )
            self.world.mark_read(reader, room, letter.sequence)

    @rule(reader=names)
    def look_at_inbox(self, reader: str) -> None:
        user = self.user(reader)
        summary = inbox.inbox_summary(reader=UserId(user.pk))
        self.seen.append((reader, summary.up_to, self.world.position))

    @precondition(lambda self: self.seen)
    @rule(which=some)
    def clear_inbox(self, which: int) -> None:
        """Of what was seen some time ago."""
        reader, up_to, position = self.seen[which % len(self.seen)]
        user = self.user(reader)
        inbox.mark_inbox_read(reader=UserId(user.pk), up_to=up_to)
        self.world.clear(reader, position)

    @precondition(somewhere)
    @rule(where=some, owner=names, name=names)
    def join(self, where: int, owner: str, name: str) -> None:
        room = self.room(where)
        self.come(name)
        refusal = room.refusal_to_owner(owner)
        if refusal is None and name == owner:
            refusal = errors.OwnerRequiredError
        elif refusal is None and self.world.blocked(owner, name):
            refusal = errors.NotDeliverableError
        with expect(refusal):
            participants.put_participant(
                group=owned_by(self.user(owner), Conversation(pk=room.id)),
                username=name,
                role="member",
            )
            room.let_in(name)

    @precondition(somewhere)
    @rule(where=some, owner=names, heir=names)
    def hand_over(self, where: int, owner: str, heir: str) -> None:
        room = self.room(where)
        refusal = room.refusal_to_owner(owner)
        if refusal is None and heir not in room.members:
            refusal = errors.ParticipantNotFoundError
        with expect(refusal):
            participants.put_participant(
                group=owned_by(self.user(owner), Conversation(pk=room.id)),
                username=heir,
                role="owner",
            )
            room.owner = heir

    @precondition(somewhere)
    @rule(where=some, who=names, name=names)
    def leave(self, where: int, who: str, name: str) -> None:
        """Oneself, or someone that the owner puts out."""
        room = self.room(where)
        refusal: Refusal = None
        if who not in room.members:
            refusal = errors.ConversationNotFoundError
        elif room.direct:
            refusal = errors.DirectConversationError
        elif who not in {name, room.owner}:
            refusal = errors.NotOwnerError
        elif name not in room.members:
            refusal = errors.ParticipantNotFoundError
        with expect(refusal):
            participants.remove_participant(
                membership=part_of(self.user(who), Conversation(pk=room.id)),
                username=name,
            )
            self.world.leave(room, name)

    @rule(blocker=names, blocked=names, off=st.booleans())
    def block(self, blocker: str, blocked: str, off: bool) -> None:
        one, other = self.user(blocker), self.user(blocked)
        if off:
            blocks.unblock(blocker=one, blocked=other)
            self.world.blocks.discard((blocker, blocked))
        else:
            with expect(errors.SelfBlockError if blocker == blocked else None):
                blocks.block(blocker=one, blocked=other)
                self.world.blocks.add((blocker, blocked))
        self.send_direct(blocker, blocked, "after that")
        self.send_direct(blocked, blocker, "and back")

    @rule(name=names, shown=st.sampled_from(["One", "Other"]))
    def rename(self, name: str, shown: str) -> None:
        users.change_display_name(user=self.user(name), display_name=shown)

    @rule(name=names)
    def delete_account(self, name: str) -> None:
        user = self.user(name)
        preview = preview_deletion(user=user)
        user.delete()
        assert user.deletion is not None
        assert user.deletion.counts == preview
        self.world.forget(name)
        self.seen = [one for one in self.seen if one[0] != name]

    @invariant()
    def as_the_model(self) -> None:
        compare(self.world)
        after = shown_pages()
        compare_pages(self.pages, after)
        self.pages = after
        turn = next(self.steps)
        reader = PEOPLE[turn // 2 % len(PEOPLE)]
        if turn % 2 and something_written(self):
            room, letter = self.letter(turn)
            compare_letter(room, letter.id, self.users, turn)
        elif reader in self.world.people:
            compare_reader(self.world, self.users[reader])

    def user(self, name: str) -> User:
        self.come(name)
        return self.users[name]

    def room(self, which: int) -> Room:
        rooms = list(self.world.rooms.values())
        return rooms[which % len(rooms)]

    def letter(self, which: int) -> tuple[Room, Letter]:
        letters = [
            (room, letter)
            for room in self.world.rooms.values()
            for letter in room.letters.values()
        ]
        return letters[which % len(letters)]


def test_the_services_do_what_the_model_does(db: None) -> None:
    run_state_machine_as_test(Conversing, settings=SOME)


@pytest.mark.long
def test_the_services_do_what_the_model_does_at_length(db: None) -> None:
    run_state_machine_as_test(Conversing, settings=MANY)
