"""Messages as they are shown: rows without instances, which would cost twice as much.

A page has hundreds of them. Whoever changes a message has it from `access` instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Message, User
from messaging.models.messages import preview


# Not frozen, which would take twice as long to make; nobody changes one.
@dataclass(slots=True)
class ShownPerson:
    id: UserId
    username: str
    display_name: str

    @property
    def pk(self) -> UserId:
        return self.id


@dataclass(slots=True)
class ShownMessage:
    """What the API answers with: its pages are written from these, field by field."""

    id: MessageId
    conversation_id: ConversationId
    sequence: int
    sender: ShownPerson | None
    receiver: ShownPerson | None
    content: str
    timestamp: datetime
    read: bool
    edited: bool
    deleted: bool
    version: int
    parent_message_id: MessageId | None
    reply_count: int

    @property
    def pk(self) -> MessageId:
        return self.id

    @property
    def sender_id(self) -> UserId | None:
        return None if self.sender is None else self.sender.id

    @property
    def content_version(self) -> int:
        return self.version

    @property
    def content_preview(self) -> str:
        return preview(self.content)


AnyMessage = Message | ShownMessage

# For `values_list()`; more columns may follow.
SHOWN_COLUMNS: Final = (
    "id",
    "conversation_id",
    "sequence",
    "content",
    "timestamp",
    "read",
    "edited",
    "content_version",
    "parent_message_id",
    "reply_count",
    "sender_id",
    "sender__username",
    "sender__display_name",
    "receiver_id",
    "receiver__username",
    "receiver__display_name",
)
ShownRow = tuple[
    MessageId,
    ConversationId,
    int,
    str,
    datetime,
    bool,
    bool,
    int,
    MessageId | None,
    int,
    UserId | None,
    str,
    str,
    UserId | None,
    str,
    str,
    *tuple[object, ...],
]

# Those who were met in the same rows: mostly the same few.
People = dict[UserId, ShownPerson]

# The fields of a `ShownMessage`.
_Fields = tuple[
    MessageId,
    ConversationId,
    int,
    ShownPerson | None,
    ShownPerson | None,
    str,
    datetime,
    bool,
    bool,
    bool,
    int,
    MessageId | None,
    int,
]


def shown_messages(rows: Iterable[ShownRow]) -> list[ShownMessage]:
    """From rows of `SHOWN_COLUMNS`; one person is one object in all of them."""
    people: People = {}
    return [ShownMessage(*shown_fields(row, people)) for row in rows]


def shown_fields(row: ShownRow, people: People) -> _Fields:
    """What a row of `SHOWN_COLUMNS` says, in the order of a `ShownMessage`."""
    (
        message_id,
        conversation_id,
        sequence,
        content,
        timestamp,
        read,
        edited,
        version,
        parent_id,
        reply_count,
        sender_id,
        sender_username,
        sender_name,
        receiver_id,
        receiver_username,
        receiver_name,
    ) = row[:16]  # as many as `SHOWN_COLUMNS`
    sender = receiver = None
    if sender_id is not None:
        sender = people.get(sender_id)
        if sender is None:
            sender = ShownPerson(sender_id, sender_username, sender_name)
            people[sender_id] = sender
    if receiver_id is not None:
        receiver = people.get(receiver_id)
        if receiver is None:
            receiver = ShownPerson(receiver_id, receiver_username, receiver_name)
            people[receiver_id] = receiver
    return (
        message_id,
        conversation_id,
        sequence,
        sender,
        receiver,
        content,
        timestamp,
        read,
        edited,
        sender_id is None,
        version,
        parent_id,
        reply_count,
    )


def shown_message(message: AnyMessage) -> ShownMessage:
    if isinstance(message, ShownMessage):
        return message
    parent_id = message.parent_message_id
    return ShownMessage(
        id=MessageId(message.pk),
        conversation_id=ConversationId(message.conversation_id),
        sequence=message.sequence,
        sender=_shown_person(message.sender),
        receiver=_shown_person(message.receiver),
        content=message.content,
        timestamp=message.timestamp,
        read=message.read,
        edited=message.edited,
        deleted=message.deleted,
        version=message.content_version,
        parent_message_id=None if parent_id is None else MessageId(parent_id),
        reply_count=message.reply_count,
    )


def _shown_person(user: User | None) -> ShownPerson | None:
    if user is None:
        return None
    return ShownPerson(UserId(user.pk), user.username, user.display_name)
