"""The reference model, in memory, that the services are compared with.

Written from the promises, not from the code: it knows no database.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from messaging import errors

Name = str
Refusal = type[errors.DomainError] | None


@dataclass(slots=True)
class ModelNotification:
    """Of ordinary messages, only those that are unread are stored."""

    kind: str
    position: int
    unread: bool = True
    # Of somebody who was no participant when the message was sent.
    late: bool = False

    @property
    def stored(self) -> bool:
        return self.unread or self.kind != "message"

    @property
    def forgotten(self) -> bool:
        return self.late and not self.stored


@dataclass(slots=True)
class ModelMessage:
    """A tombstone has no sender."""

    id: int
    sequence: int
    sender: Name | None
    parent: int | None
    versions: list[str]
    notifications: dict[Name, ModelNotification] = field(default_factory=dict)

    @property
    def content(self) -> str:
        return self.versions[-1]

    @property
    def read(self) -> bool:
        return not any(
            notification.unread for notification in self.notifications.values()
        )

    def receipts(self) -> dict[Name, bool]:
        """Who was notified, and whether each has read it."""
        return {
            name: not one.unread
            for name, one in self.notifications.items()
            if not one.forgotten
        }

    def make_tombstone(self) -> None:
        self.sender, self.versions = None, [""]
        self.notifications.clear()


@dataclass(slots=True)
class ModelParticipant:
    # By message that was sent before they joined: the first version that they may read.
    first_seen: dict[int, int]
    muted: bool = False


@dataclass(slots=True)
class ModelConversation:
    """A direct one has no owner. Participants are in the order in which they joined."""

    id: int
    owners: set[Name]
    participants: dict[Name, ModelParticipant] = field(default_factory=dict)
    messages: dict[int, ModelMessage] = field(default_factory=dict)
    last_sequence: int = 0

    @property
    def direct(self) -> bool:
        return not self.owners

    def add(self, name: Name) -> None:
        self.participants.setdefault(
            name,
            ModelParticipant(
                {
                    message.id: len(message.versions)
                    for message in self.messages.values()
                }
            ),
        )

    def remove(self, name: Name) -> None:
        del self.participants[name]
        for message in self.messages.values():
            message.notifications.pop(name, None)
        if self.owners == {name} and self.participants:
            self.owners = {next(iter(self.participants))}
        elif len(self.owners) > 1:
            self.owners.discard(name)

    def replies(self, message_id: int) -> list[ModelMessage]:
        """Direct ones, oldest first."""
        return [one for one in self.messages.values() if one.parent == message_id]

    def descendants(self, message_id: int) -> Iterator[tuple[int, int]]:
        """All replies in reading order, each with its depth."""
        waiting = [(one, 1) for one in reversed(self.replies(message_id))]
        while waiting:
            message, depth = waiting.pop()
            yield message.id, depth
            waiting += [(one, depth + 1) for one in reversed(self.replies(message.id))]

    def refusal_to_sender(self, message: ModelMessage, name: Name) -> Refusal:
        if name not in self.participants:
            return errors.MessageNotFoundError
        if message.sender is None:
            return errors.DeletedMessageError
        return None if message.sender == name else errors.NotSenderError

    def refusal_to_reader(self, message: ModelMessage, name: Name) -> Refusal:
        if name not in self.participants:
            return errors.MessageNotFoundError
        if message.sender is None:
            return errors.DeletedMessageError
        return errors.OwnMessageError if message.sender == name else None

    def refusal_to_owner(self, name: Name) -> Refusal:
        if name not in self.participants:
            return errors.ConversationNotFoundError
        if self.direct:
            return errors.DirectConversationError
        return None if name in self.owners else errors.NotOwnerError

    def visible(self, message: ModelMessage, reader: Name) -> list[str]:
        """The versions that a participant may read."""
        if message.sender is None:
            return []
        first = 1
        if message.sender != reader:
            first = self.participants[reader].first_seen.get(message.id, 1)
        return message.versions[first - 1 :]

    def delete(self, message: ModelMessage) -> None:
        """Remove a message, or make it a tombstone above its replies."""
        message.make_tombstone()
        self.remove_needless_tombstones()

    def remove_needless_tombstones(self) -> None:
        """Remove the tombstones that have no replies."""
        while needless := self._needless_tombstones():
            for message in needless:
                del self.messages[message.id]

    def _needless_tombstones(self) -> list[ModelMessage]:
        return [
            one
            for one in self.messages.values()
            if one.sender is None and not self.replies(one.id)
        ]


@dataclass(slots=True)
class ReferenceModel:
    usernames: set[Name] = field(default_factory=set)
    conversations: dict[int, ModelConversation] = field(default_factory=dict)
    blocks: set[tuple[Name, Name]] = field(default_factory=set)
    position: int = 0

    def conversation_of(self, message_id: int) -> ModelConversation:
        return next(
            conversation
            for conversation in self.conversations.values()
            if message_id in conversation.messages
        )

    def direct(self, one: Name, other: Name) -> ModelConversation | None:
        return next(
            (
                conversation
                for conversation in self.conversations.values()
                if conversation.direct
                and conversation.participants.keys() == {one, other}
            ),
            None,
        )

    def blocked(self, one: Name, other: Name) -> bool:
        return bool({(one, other), (other, one)} & self.blocks)

    def undeliverable(self, conversation: ModelConversation, sender: Name) -> bool:
        """Whether one of the two in a direct conversation blocked the other."""
        return conversation.direct and any(
            self.blocked(sender, name)
            for name in conversation.participants
            if name != sender
        )

    def send(
        self,
        conversation: ModelConversation,
        message_id: int,
        sender: Name,
        content: str,
        parent: int | None,
    ) -> None:
        conversation.last_sequence += 1
        message = ModelMessage(
            message_id, conversation.last_sequence, sender, parent, [content]
        )
        conversation.messages[message_id] = message
        self.position += 1
        for name in conversation.participants:
            if name != sender:
                self.notify(conversation, message, name)

    def notify(
        self, conversation: ModelConversation, message: ModelMessage, name: Name
    ) -> None:
        answered = (
            conversation.messages[message.parent].sender if message.parent else None
        )
        mentioned = f"@{name}" in message.content.split()
        kind = "mention" if mentioned else "reply" if name == answered else "message"
        message.notifications[name] = ModelNotification(kind, self.position)

    def mark_unread(
        self, conversation: ModelConversation, message: ModelMessage, name: Name
    ) -> None:
        """What is marked unread after a cursor of the inbox is not cleared by it."""
        known = message.notifications.get(name)
        if known is None or known.forgotten:
            self.position += 1
            self.notify(conversation, message, name)
            message.notifications[name].late = True
        elif not known.unread:
            self.position += 1
            message.notifications[name] = ModelNotification(
                known.kind, self.position, late=known.late
            )

    def unread(self, name: Name) -> list[int]:
        """The inbox, newest first."""
        found = [
            message.id
            for conversation in self.conversations.values()
            for message in conversation.messages.values()
            if name in message.notifications and message.notifications[name].unread
        ]
        return sorted(found, reverse=True)

    def badge(self, name: Name, conversation: ModelConversation) -> int:
        """How many messages are unread; if it is muted, how many mentions."""
        muted = conversation.participants[name].muted
        notifications = [
            message.notifications[name]
            for message in conversation.messages.values()
            if name in message.notifications
        ]
        return sum(
            each.unread and (each.kind == "mention" or not muted)
            for each in notifications
        )

    def mark_read(
        self, name: Name, conversation: ModelConversation, *spans: tuple[int, int]
    ) -> None:
        for message in conversation.messages.values():
            within = any(first <= message.sequence <= last for first, last in spans)
            if within and name in message.notifications:
                message.notifications[name].unread = False

    def mark_inbox_read(self, name: Name, up_to: int) -> None:
        for conversation in self.conversations.values():
            for message in conversation.messages.values():
                notification = message.notifications.get(name)
                if notification is not None and notification.position <= up_to:
                    notification.unread = False

    def delete_account(self, name: Name) -> None:
        """Delete what is theirs, and nothing of others."""
        self.usernames.discard(name)
        self.blocks = {pair for pair in self.blocks if name not in pair}
        for conversation in list(self.conversations.values()):
            if conversation.direct and name in conversation.participants:
                del self.conversations[conversation.id]
                continue
            for message in conversation.messages.values():
                if message.sender == name:
                    message.make_tombstone()
            conversation.remove_needless_tombstones()
            if name in conversation.participants:
                self.remove_participant(conversation, name)

    def remove_participant(self, conversation: ModelConversation, name: Name) -> None:
        conversation.remove(name)
        if not conversation.participants:
            del self.conversations[conversation.id]
