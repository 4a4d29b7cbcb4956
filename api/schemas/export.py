"""The lines of an account's export, discriminated by `type`."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field, RootModel

from api.schemas.fields import Out
from api.schemas.looks import LookOut
from api.schemas.users import UserOut, user_out
from messaging.ids import ConversationId, InvitationId, MessageId, UserId
from messaging.models import (
    Block,
    InviteCode,
    LastSeen,
    MessageHistory,
    Participant,
    User,
)
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.models.users import SendKey, WhoMayAdd
from messaging.projections import MessageProjection
from messaging.services.exports import Record
from messaging.services.looks import LookProjection

NDJSON: Final = "application/x-ndjson"


class ProfileLine(Out):
    type: Literal["profile"]
    id: UserId
    username: str
    display_name: str
    joined_at: datetime
    who_may_add: WhoMayAdd = Field(description="Who may add you to groups.")
    shows_presence: bool
    last_seen_at: datetime | None = Field(
        description="Null if you hide your presence, or never had a stream open."
    )
    send_key: SendKey = Field(description="Which key sends your messages.")


class BlockLine(Out):
    """A person you blocked."""

    type: Literal["block"]
    user: UserOut
    created_at: datetime


class ConversationLine(Out):
    """A conversation in which you are a participant."""

    type: Literal["conversation"]
    id: ConversationId
    kind: ConversationKind
    title: str = Field(description="Empty in direct conversations.")
    participant: UserOut | None = Field(
        description="The other one of a direct conversation; null in groups."
    )
    role: ParticipantRole
    joined_at: datetime


class InvitationLine(Out):
    """An invitation you made. Its code is kept nowhere."""

    type: Literal["invitation"]
    id: InvitationId
    conversation_id: ConversationId | None = Field(
        description="The group; null for one to the server."
    )
    max_uses: int
    used: int
    created_at: datetime
    expires_at: datetime | None


class MessageLine(Out):
    """A message you sent, or a direct message you received."""

    type: Literal["message"]
    id: MessageId
    conversation_id: ConversationId
    sequence: int = Field(description="Its place in the conversation: 1, 2, 3 …")
    sender: UserOut
    receiver: UserOut | None = Field(description="Null in groups.")
    content: str
    timestamp: datetime
    edited: bool
    version: int = Field(description="1, and one more with each edit.")
    parent_message_id: MessageId | None


class VersionLine(Out):
    """An earlier version of a message you sent; it follows the message's line."""

    type: Literal["version"]
    message_id: MessageId
    version: int = Field(description="1 for the original.")
    content: str
    replaced_at: datetime


class LookLine(LookOut):
    """A look of staff that you are told of."""

    type: Literal["look"]


class EndLine(Out):
    """The last line; an export without it is incomplete."""

    type: Literal["end"]
    counts: dict[str, int] = Field(description="Lines of each type before this one.")


RecordLine = (
    ProfileLine
    | BlockLine
    | ConversationLine
    | InvitationLine
    | MessageLine
    | VersionLine
    | LookLine
)


class ExportLine(
    RootModel[Annotated[RecordLine | EndLine, Field(discriminator="type")]]
):
    """One line of the file: a JSON object."""


def export_line(record: Record) -> RecordLine:  # noqa: PLR0911  # one for each kind of line
    match record:
        case User():
            return _profile_line(record)
        case Block():
            return BlockLine(
                type="block",
                user=user_out(record.blocked),
                created_at=record.created_at,
            )
        case Participant():
            return _conversation_line(record)
        case InviteCode():
            return _invitation_line(record)
        case MessageProjection():
            return _message_line(record)
        case MessageHistory():
            return _version_line(record)
        case LookProjection():
            return _look_line(record)


def _profile_line(user: User) -> ProfileLine:
    seen: LastSeen | None = getattr(user, "last_seen", None)
    return ProfileLine(
        type="profile",
        id=UserId(user.pk),
        username=user.username,
        display_name=user.display_name,
        joined_at=user.date_joined,
        who_may_add=WhoMayAdd(user.who_may_add),
        shows_presence=user.shows_presence,
        last_seen_at=None if seen is None else seen.at,
        send_key=SendKey(user.send_key),
    )


def _conversation_line(participant: Participant) -> ConversationLine:
    conversation = participant.conversation
    pair = (conversation.low_user, conversation.high_user)
    others = [
        user for user in pair if user is not None and user.pk != participant.user_id
    ]
    return ConversationLine(
        type="conversation",
        id=ConversationId(conversation.pk),
        kind=ConversationKind(conversation.kind),
        title=conversation.title,
        participant=user_out(others[0]) if others else None,
        role=ParticipantRole(participant.role),
        joined_at=participant.joined_at,
    )


def _invitation_line(invitation: InviteCode) -> InvitationLine:
    group = invitation.conversation_id
    return InvitationLine(
        type="invitation",
        id=InvitationId(invitation.pk),
        conversation_id=None if group is None else ConversationId(group),
        max_uses=invitation.max_uses,
        used=invitation.used,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )


def _message_line(message: MessageProjection) -> MessageLine:
    if message.sender is None:
        raise ValueError("A tombstone is nobody's message.")
    return MessageLine(
        type="message",
        id=message.id,
        conversation_id=message.conversation_id,
        sequence=message.sequence,
        sender=user_out(message.sender),
        receiver=None if message.receiver is None else user_out(message.receiver),
        content=message.content,
        timestamp=message.timestamp,
        edited=message.edited,
        version=message.version,
        parent_message_id=message.parent_message_id,
    )


def _version_line(version: MessageHistory) -> VersionLine:
    return VersionLine(
        type="version",
        message_id=MessageId(version.message_id),
        version=version.version,
        content=version.old_content,
        replaced_at=version.edited_at,
    )


def _look_line(look: LookProjection) -> LookLine:
    shown = LookOut.model_validate(look, from_attributes=True)
    return LookLine(type="look", **dict(shown))
