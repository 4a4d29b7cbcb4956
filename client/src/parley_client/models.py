"""Generated from the OpenAPI document by scripts/client; do not edit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field
from typing_extensions import TypeAliasType

from parley_client.base import Model


class ProblemError(Model):
    """One invalid part of the request."""

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
    """To tell tokens apart by; kept in one form, like a display name."""
    expires_in: int | None = None
    """Seconds; never unless given."""
    replaces: int | None = None
    """One of your tokens, which ends when there is the new one."""


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
    """The fields to change; others stay as they are."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    display_name: str | None = None
    """1 to 100 characters, kept composed (NFC), without blanks and invisible characters that change nothing of what is seen."""
    who_may_add: Literal["everyone", "contacts", "nobody"] | None = None
    """Who may add you to groups: `everyone`, the `contacts` you have written to yourself, or `nobody`."""
    shows_presence: bool | None = None
    """Whether others see when you are online and were last seen, and you see it of them. With `false`, when you were last seen is forgotten."""
    send_key: Literal["enter", "shift_enter"] | None = None
    """Which key sends a message on the pages: `enter`, or `shift_enter`, where Enter breaks the line."""


class Deletion(Model):
    """How much deleting your account deletes."""

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
    """Of those you alone own; to their longest member."""
    groups_deleted: int
    """Of those you are the last in."""
    access_tokens: int
    looks: int
    """Looks of staff that you were told of."""
    invitations: int


class DeletionIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    password: Annotated[str, Field(repr=False)]


class EndLine(Model):
    """The last line; an export without it is incomplete."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["end"] = "end"
    counts: Mapping[str, int]
    """Lines of each type before this one."""


class InvitationLine(Model):
    """An invitation you made. Its code is kept nowhere."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["invitation"] = "invitation"
    id: int
    conversation_id: int | None
    """The group; null for one to the server."""
    max_uses: int
    used: int
    created_at: AwareDatetime
    expires_at: AwareDatetime | None


class ProfileLine(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["profile"] = "profile"
    id: int
    username: str
    display_name: str
    joined_at: AwareDatetime
    who_may_add: Literal["everyone", "contacts", "nobody"]
    """Who may add you to groups."""
    shows_presence: bool
    last_seen_at: AwareDatetime | None
    """Null if you hide your presence, or never had a stream open."""
    send_key: Literal["enter", "shift_enter"]
    """Which key sends your messages."""


class User(Model):
    """A person, as everyone sees them."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    username: str
    display_name: str


class VersionLine(Model):
    """An earlier version of a message you sent; it follows the message's line."""

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
    """A message, or the tombstone of a deleted message that has replies."""

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
    """A direct conversation between you and one other person."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    kind: Literal["direct"] = "direct"
    participant: str
    """Looked up whatever its case."""


class GroupIn(Model):
    """A group of you, its first owner, and others."""

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
    online: bool
    """Whether they have a stream of events open."""
    last_seen_at: AwareDatetime | None
    """When they last had one, to the minute; `null` if they never did, or if you may not see it: one of you hides it, or there is a block between you. Then `online` is `false`."""


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
    """1 to 5,000 characters, of which at least one can be seen. Lines end in LF (CRLF and CR become it); blank lines around it and blanks at its end go."""
    parent_message_id: int | None = None
    """The message of this conversation that it replies to."""


class SequenceRangeIn(Model):
    """Messages of a conversation, from the first to the last, both included."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    first_sequence: int
    last_sequence: int


class IssuedInvitation(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    created_by: User | None
    max_uses: int
    used: int
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    invite_code: Annotated[str, Field(repr=False)]
    """Shown this once. Whoever has it may join."""
    url: Annotated[str, Field(repr=False)]
    """The link for people, with the code, and as secret."""


class InvitationIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    max_uses: int | None = 1
    """How many people may join by it."""
    expires_in: int | None = 604800
    """Seconds."""


class Invitation(Model):
    """An invitation to a group, as its owners see it. The code is not kept."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    created_by: User | None
    max_uses: int
    used: int
    created_at: AwareDatetime
    expires_at: AwareDatetime | None


class Invited(Model):
    """What an invitation is to."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    kind: Literal["server", "group"]
    title: str | None
    """Of the group."""
    participant_count: int | None
    """Of the group."""
    opens_account: bool
    """Whether it lets people open an account, as `invite_code`."""


class DirectMessageIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    content: str
    """1 to 5,000 characters, of which at least one can be seen. Lines end in LF (CRLF and CR become it); blank lines around it and blanks at its end go."""
    parent_message_id: int | None = None
    """The message of this conversation that it replies to."""
    receiver: str
    """Looked up whatever its case."""


class MessagePatch(Model):
    """The new content of a message."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    content: str
    """1 to 5,000 characters, of which at least one can be seen. Lines end in LF (CRLF and CR become it); blank lines around it and blanks at its end go."""


class ThreadData(Model):
    """A message with the replies below it, as a tree."""

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
    """All below it, those left out too, of the tree's first 20,000."""
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
    """A version of a message's content, which was written at `edited_at`."""

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
    badge_count: int
    """For badges and titles: the unread, without those of muted conversations that do not mention you."""
    mention_count: int
    """Of the unread, those that mention you."""
    conversation_count: int
    """Conversations with unread messages."""
    new_looks: int
    """Looks of staff at your conversations that you have not seen: see GET /me/looks."""
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


class UnreadThreadData(Model):
    """Unread messages that hang from one message."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    root: MessageData | None
    """May itself be among the unread. Null for those in no thread."""
    notifications: Sequence[NotificationData]
    """Oldest first."""


class Look(Model):
    """A look of staff at a conversation of yours, or a password that they set for you."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    by: User | None
    """Null if their account is gone."""
    source: Literal[
        "conversations",
        "participants",
        "messages",
        "histories",
        "notifications",
        "password",
    ]
    """The page of the admin: `conversations` and `participants` name the conversation and who takes part, `messages`, `histories` and `notifications` show what was written; by `password` they set you a new one."""
    conversation_id: int | None
    """Null for a password. The conversation may be gone since."""
    message_id: int | None
    """The message that they opened; null if they saw a list."""
    at: AwareDatetime
    """When it began: looks by the same page within ten minutes are one."""
    is_new: bool
    """Whether you have not marked it as seen."""


class LooksSeenIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    up_to: int
    """The id of the newest look you saw."""


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
    """A message was edited; `message` has its present content."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["message.edited"] = "message.edited"
    message: MessageData


class MessageRead(Model):
    """A participant (or you) read the messages of others in this range of sequences."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    reader: User
    from_sequence: int
    up_to_sequence: int
    type: Literal["message.read"] = "message.read"


class MessageUnread(Model):
    """A participant (or you) marked messages of others in this range unread."""

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
    """A person (or you) was added to a group."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    user: User
    type: Literal["participant.added"] = "participant.added"


class ParticipantRemoved(Model):
    """A person left or was removed; if it is you, you get no further events of the group."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation_id: int
    user: User
    type: Literal["participant.removed"] = "participant.removed"


class PresenceChanged(Model):
    """A person with whom you share a conversation went online or offline. Transient."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["presence"] = "presence"
    user: User
    online: bool


class Ready(Model):
    """The first frame of a stream without a cursor; its `id` is the present cursor."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["ready"] = "ready"


class Reconnect(Model):
    """The server is about to close the stream: reconnect with your last cursor."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["reconnect"] = "reconnect"


class Reset(Model):
    """Events after your cursor are missing, since they are not kept: read everything again."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["reset"] = "reset"


class TypingChanged(Model):
    """A person started or stopped typing. Transient: it is not repeated after a reconnect."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["typing"] = "typing"
    conversation_id: int
    user: User
    typing: bool


class UserUpdated(Model):
    """A person with whom you share a conversation changed their name."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["user.updated"] = "user.updated"
    user: User


class ServiceUser(Model):
    """A person, as the service that created them sees them."""

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
    """What the service itself knows the person by; unique. At least one character can be seen."""


class ServiceTokenIn(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    expires_in: int | None = 3600
    """Seconds, at most a day."""


class Profile(Model):
    """Your own account, with fields that only you see."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    username: str
    display_name: str
    who_may_add: Literal["everyone", "contacts", "nobody"]
    """Who may add you to groups."""
    shows_presence: bool
    """Whether others see when you are online and were last seen, and you see it of them."""
    send_key: Literal["enter", "shift_enter"]
    """Which key sends a message on the pages: `enter`, or `shift_enter`, where Enter breaks the line."""


class Registered(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    user: Profile
    token: Annotated[str, Field(repr=False)]
    """Shown this once."""


class Problem(Model):
    """The body of every refusal and failure (RFC 9457)."""

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


class BlockLine(Model):
    """A person you blocked."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["block"] = "block"
    user: User
    created_at: AwareDatetime


class ConversationLine(Model):
    """A conversation in which you are a participant."""

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


class LookLine(Model):
    """A look of staff that you are told of."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    id: int
    by: User | None
    """Null if their account is gone."""
    source: Literal[
        "conversations",
        "participants",
        "messages",
        "histories",
        "notifications",
        "password",
    ]
    """The page of the admin: `conversations` and `participants` name the conversation and who takes part, `messages`, `histories` and `notifications` show what was written; by `password` they set you a new one."""
    conversation_id: int | None
    """Null for a password. The conversation may be gone since."""
    message_id: int | None
    """The message that they opened; null if they saw a list."""
    at: AwareDatetime
    """When it began: looks by the same page within ten minutes are one."""
    is_new: bool
    """Whether you have not marked it as seen."""
    type: Literal["look"] = "look"


class MessageLine(Model):
    """A message you sent, or a direct message you received."""

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


class ConversationData(Model):
    """A conversation as its participant sees it in their list."""

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
    """Whether your notifications of it are silent, and its unread messages are in no badge unless they mention you."""
    hidden: bool
    """Out of your list until its next message."""
    created_at: AwareDatetime
    last_activity_at: AwareDatetime
    """When the last message came."""
    last_sequence: int
    """The newest number given to a message."""
    last_message: MessageData | None
    unread_count: int
    badge_count: int
    """For badges and bold titles: the unread, or, while it is muted, those of them that mention you."""


class ReadIn(Model):
    """What was seen: one of the two."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    up_to_sequence: int | None = None
    """Everything up to this message, and with it."""
    ranges: Sequence[SequenceRangeIn] | None = None
    """Only these messages. In any order; they may overlap."""


class UnreadConversationData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    conversation: ConversationData
    mention_count: int
    """Of what waits here, whatever the filter."""
    reply_count: int
    threads: Sequence[UnreadThreadData]
    next_cursor: str | None
    """As `cursor`, answers with more of this conversation alone."""


class ConversationCreatedData(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.created"] = "conversation.created"
    conversation: ConversationData


class ConversationResetData(Model):
    """A former sender deleted their account: read the whole conversation again."""

    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    type: Literal["conversation.reset"] = "conversation.reset"
    conversation: ConversationData


class ConversationUpdatedData(Model):
    """The title, the owners or your own settings of a conversation changed."""

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
"""The `data` of a frame. The frame's `event` is the type, its `id` a cursor."""


ExportLine = TypeAliasType(
    "ExportLine",
    Annotated[
        ProfileLine
        | BlockLine
        | ConversationLine
        | InvitationLine
        | MessageLine
        | VersionLine
        | LookLine
        | EndLine,
        Field(discriminator="type"),
    ],
)
"""One line of the file: a JSON object."""


class CatchUpPage(Model):
    model_config = ConfigDict(
        use_attribute_docstrings=True,
    )
    items: Sequence[UnreadConversationData]
    next_cursor: str | None
    badge_count: int
    """All that waits, whatever the filter: the unread, without those of muted conversations that do not mention you."""
    mention_count: int
    reply_count: int


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
