"""Generated from the OpenAPI document by scripts/client; do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field
from typing_extensions import TypeAliasType

from parley_client.base import Model


class User(Model):
    """A person, as everyone sees them."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    username: str
    display_name: str


class ProblemError(Model):
    """One thing that is wrong with the request."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    source: str
    """`body`, `query`, `path` or `header`."""
    pointer: str
    """JSON pointer to the value within its source."""
    detail: str


class RegisterIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    username: str
    """Looked up whatever its case."""
    password: Annotated[str, Field(repr=False)]
    display_name: str | None = None
    """1 to 100 characters; the username unless given."""
    invite_code: Annotated[str | None, Field(repr=False)] = None
    """Where accounts are opened by invitation only."""


class IssuedToken(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    name: str
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    token: Annotated[str, Field(repr=False)]
    """Shown this once."""


class TokenIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    username: str
    password: Annotated[str, Field(repr=False)]
    name: str | None = ""
    """To tell tokens apart by."""
    expires_in: int | None = None
    """Seconds; never unless given."""


class Token(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    name: str
    created_at: AwareDatetime
    last_used_at: AwareDatetime
    """To the minute; at first, when it was made."""
    expires_at: AwareDatetime | None
    current: bool
    """Whether this request came with it."""


class MePatch(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    display_name: str
    """1 to 100 characters."""


class Deletion(Model):
    """What deleting your account takes away."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    direct_conversations: int
    """Deleted on both sides."""
    direct_messages: int
    """Sent and received in those."""
    group_messages: int
    """Of yours, in groups."""
    tombstones: int
    """Of those, the ones that leave an empty place above replies."""
    groups_left: int
    groups_handed_over: int
    """Of those you own; to their longest member."""
    groups_deleted: int
    """Of those you are the last in."""
    access_tokens: int


class DeletionIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    password: Annotated[str, Field(repr=False)]


class BlockLine(Model):
    """Someone you blocked."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["block"] = "block"
    user: User
    created_at: AwareDatetime


class EndLine(Model):
    """The last line of an export that is whole."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["end"] = "end"
    counts: Mapping[str, int]
    """Lines of each type before this one."""


class MessageLine(Model):
    """A message you sent, or a direct one you received."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["message"] = "message"
    id: int
    conversation_id: int
    sequence: int
    """Its place in the conversation: 1, 2, 3 …"""
    sender: User
    receiver: User | None
    """Null in groups."""
    content: str
    timestamp: AwareDatetime
    edited: bool
    version: int
    """1, and one more with each edit."""
    parent_message_id: int | None


class ProfileLine(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["profile"] = "profile"
    id: int
    username: str
    display_name: str
    joined_at: AwareDatetime


class VersionLine(Model):
    """What a message you sent said before an edit. Follows the message's line."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["version"] = "version"
    message_id: int
    version: int
    """1 for the original."""
    content: str
    replaced_at: AwareDatetime


class PasswordIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    current_password: Annotated[str, Field(repr=False)]
    new_password: Annotated[str, Field(repr=False)]


class Block(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    user: User
    created_at: AwareDatetime


class MessageData(Model):
    """A message; deleted ones with replies stay, empty, in their place."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    conversation_id: int
    sequence: int
    """Its place in the conversation: 1, 2, 3 …"""
    sender: User | None
    """Null when deleted."""
    receiver: User | None
    """Null in groups and when deleted."""
    content: str
    timestamp: AwareDatetime
    read: bool
    """Whether all who were notified have read it."""
    edited: bool
    deleted: bool
    version: int
    """1, and one more with each edit; named by the message's ETag."""
    parent_message_id: int | None
    reply_count: int
    """Direct replies, deleted ones included."""


class DirectIn(Model):
    """Between you and one other person."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    kind: Literal["direct"] = "direct"
    participant: str
    """Looked up whatever its case."""


class GroupIn(Model):
    """Between you, its owner, and others."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    kind: Literal["group"] = "group"
    title: str
    """1 to 200 characters."""
    participants: Sequence[str]
    """Without you, or with: it is the same."""


class ConversationPatch(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    title: str
    """1 to 200 characters."""


class Participant(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    user: User
    role: Literal["owner", "member"]
    joined_at: AwareDatetime


class ParticipantIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    role: Literal["owner", "member"] | None = "member"


class MessageIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    content: str
    """1 to 5,000 characters after trimming."""
    parent_message_id: int | None = None
    """The message of this conversation that it replies to."""


class ReadIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    up_to_sequence: int


class DirectMessageIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    content: str
    """1 to 5,000 characters after trimming."""
    parent_message_id: int | None = None
    """The message of this conversation that it replies to."""
    receiver: str
    """Looked up whatever its case."""


class MessagePatch(Model):
    """The new content."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    content: str
    """1 to 5,000 characters after trimming."""


class ThreadData(Model):
    """A message with the replies below it."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    conversation_id: int
    sequence: int
    """Its place in the conversation: 1, 2, 3 …"""
    sender: User | None
    """Null when deleted."""
    receiver: User | None
    """Null in groups and when deleted."""
    content: str
    timestamp: AwareDatetime
    read: bool
    """Whether all who were notified have read it."""
    edited: bool
    deleted: bool
    version: int
    """1, and one more with each edit; named by the message's ETag."""
    parent_message_id: int | None
    reply_count: int
    """Direct replies, deleted ones included."""
    depth: int
    """0 for the root."""
    descendant_count: int
    """All below it, those left out too."""
    has_more_replies: bool
    """Whether direct replies were left out."""
    replies: Sequence[ThreadData]


class ReplyData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    conversation_id: int
    sequence: int
    """Its place in the conversation: 1, 2, 3 …"""
    sender: User | None
    """Null when deleted."""
    receiver: User | None
    """Null in groups and when deleted."""
    content: str
    timestamp: AwareDatetime
    read: bool
    """Whether all who were notified have read it."""
    edited: bool
    deleted: bool
    version: int
    """1, and one more with each edit; named by the message's ETag."""
    parent_message_id: int | None
    reply_count: int
    """Direct replies, deleted ones included."""
    depth: int
    """1 for a direct reply to the root."""


class Receipt(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    user: User
    read: bool


class DiffPart(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    change: Literal["same", "added", "removed"]
    text: str


class Version(Model):
    """What a message said, from `edited_at` on."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    version: int
    """1 for the original."""
    content: str
    edited_at: AwareDatetime | None
    """Null for the original."""
    edited_by: User | None
    """Null for the original."""
    diff: Sequence[DiffPart] | None
    """Word by word from the version before; null without one."""


class InboxPage(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    items: Sequence[MessageData]
    next_cursor: str | None
    up_to: str
    """For PUT /inbox/read: clears what had arrived by now."""


class InboxSummary(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    unread_count: int
    mention_count: int
    """Of the unread, those that mention you."""
    conversation_count: int
    """Conversations with unread messages."""
    up_to: str
    """For PUT /inbox/read: clears what is counted here."""


class InboxReadIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    up_to: str


class NotificationData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    kind: Literal["mention", "reply", "message"]
    message: MessageData
    created_at: AwareDatetime
    is_read: bool
    silent: bool
    """Made while the conversation was muted."""


class ConversationDeleted(Model):
    """The other person of a direct conversation deleted their account."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.deleted"] = "conversation.deleted"
    conversation_id: int


class MessageCreatedData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["message.created"] = "message.created"
    message: MessageData


class MessageDeletedData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["message.deleted"] = "message.deleted"
    conversation_id: int
    message_id: int
    sequence: int
    message: MessageData | None
    """The tombstone that stays for its replies, or null."""


class MessageEditedData(Model):
    """The message as it reads now."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["message.edited"] = "message.edited"
    message: MessageData


class MessageRead(Model):
    """Someone, you perhaps, read what others sent in this range."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    reader: User
    from_sequence: int
    up_to_sequence: int
    type: Literal["message.read"] = "message.read"


class MessageUnread(Model):
    """Someone, you perhaps, marked what others sent in this range unread again."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    reader: User
    from_sequence: int
    up_to_sequence: int
    type: Literal["message.unread"] = "message.unread"


class NotificationCreatedData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["notification.created"] = "notification.created"
    notification: NotificationData


class ParticipantAdded(Model):
    """Someone, you perhaps, was let into a group."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    user: User
    type: Literal["participant.added"] = "participant.added"


class ParticipantRemoved(Model):
    """Someone left or was put out; if it is you, this is the last you hear of it."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    user: User
    type: Literal["participant.removed"] = "participant.removed"


class PresenceChanged(Model):
    """Someone with whom you share a conversation came or went. Never told again."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["presence"] = "presence"
    user: User
    online: bool


class Ready(Model):
    """The stream begins here: its first frame, with the cursor of now."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["ready"] = "ready"


class Reconnect(Model):
    """The server is about to close the stream: come back with your last cursor."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["reconnect"] = "reconnect"


class Reset(Model):
    """What came after your cursor is not kept any more: read everything anew."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["reset"] = "reset"


class TypingChanged(Model):
    """Someone began to write, or stopped. Told to whoever is listening, never again."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["typing"] = "typing"
    conversation_id: int
    user: User
    typing: bool


class UserUpdated(Model):
    """Someone with whom you share a conversation has another name."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["user.updated"] = "user.updated"
    user: User


class ServiceUser(Model):
    """A person, as the service that brought them sees them."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    username: str
    display_name: str
    external_id: str | None


class ServiceUserIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    username: str
    """Looked up whatever its case."""
    display_name: str | None = None
    """1 to 100 characters; the username unless given."""
    external_id: str | None = None
    """What the service itself knows the person by; unique."""


class ServiceTokenIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    expires_in: int | None = 3600
    """Seconds, at most a day."""


class Registered(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    user: User
    token: Annotated[str, Field(repr=False)]
    """Shown this once."""


class Problem(Model):
    """What every refusal and failure looks like (RFC 9457)."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: str
    """Always `about:blank`: `code` tells problems apart."""
    title: str
    """The status in words."""
    status: int
    code: str
    """Stable, for programs."""
    detail: str
    """For people; may be reworded."""
    instance: str
    """The path that was asked for."""
    request_id: str
    """Names the request in the server's log."""
    errors: Sequence[ProblemError]
    """Empty unless values were invalid."""


class ConversationLine(Model):
    """A conversation you take part in."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation"] = "conversation"
    id: int
    kind: Literal["direct", "group"]
    title: str
    """Empty in direct conversations."""
    participant: User | None
    """The other one of a direct conversation; null in groups."""
    role: Literal["owner", "member"]
    joined_at: AwareDatetime


ExportLine = TypeAliasType(
    "ExportLine",
    Annotated[
        ProfileLine
        | BlockLine
        | ConversationLine
        | MessageLine
        | VersionLine
        | EndLine,
        Field(discriminator="type"),
    ],
)
"""One line of the file; each is a JSON object of its own."""


class ConversationData(Model):
    """A conversation as you see it in your list."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    kind: Literal["direct", "group"]
    title: str
    """Empty in a direct conversation."""
    participant: User | None
    """The other person of a direct conversation, null in a group."""
    participant_count: int
    role: Literal["owner", "member"]
    """Yours."""
    muted: bool
    """Whether your notifications of it are silent."""
    hidden: bool
    """Out of your list until its next message."""
    created_at: AwareDatetime
    last_activity_at: AwareDatetime
    """When the last message came."""
    last_sequence: int
    """The newest number given to a message."""
    last_message: MessageData | None
    unread_count: int


class ConversationCreatedData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.created"] = "conversation.created"
    conversation: ConversationData


class ConversationResetData(Model):
    """Someone who wrote there deleted their account: read the conversation anew."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.reset"] = "conversation.reset"
    conversation: ConversationData


class ConversationUpdatedData(Model):
    """Its title, its owner, or what you alone set."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.updated"] = "conversation.updated"
    conversation: ConversationData


StreamEvent = TypeAliasType(
    "StreamEvent",
    Annotated[
        MessageCreatedData
        | MessageEditedData
        | MessageDeletedData
        | MessageRead
        | MessageUnread
        | NotificationCreatedData
        | ConversationCreatedData
        | ConversationUpdatedData
        | ConversationDeleted
        | ConversationResetData
        | ParticipantAdded
        | ParticipantRemoved
        | UserUpdated
        | TypingChanged
        | PresenceChanged
        | Ready
        | Reset
        | Reconnect,
        Field(discriminator="type"),
    ],
)
"""The `data` of a frame, whose `event` is its type; `id` is a cursor."""


class EventPage(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    items: Sequence[
        Annotated[
            MessageCreatedData
            | MessageEditedData
            | MessageDeletedData
            | MessageRead
            | MessageUnread
            | NotificationCreatedData
            | ConversationCreatedData
            | ConversationUpdatedData
            | ConversationDeleted
            | ConversationResetData
            | ParticipantAdded
            | ParticipantRemoved
            | UserUpdated
            | Reset,
            Field(discriminator="type"),
        ]
    ]
    next_cursor: str
    """For `after`, whether there were any or not."""


ThreadData.model_rebuild()
