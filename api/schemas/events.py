"""Live events: a closed union, discriminated by `type`."""

from typing import Annotated, Final, Literal, assert_never

from pydantic import BaseModel, Field, RootModel

from api.schemas.conversations import ConversationOut, conversation_out
from api.schemas.fields import DEFAULT_LIMIT, MAX_LIMIT, Number, Out, Text
from api.schemas.messages import (
    MessageOut,
    NotificationOut,
    message_out,
    notification_out,
)
from api.schemas.users import UserOut, user_out
from messaging.ids import ConversationId, MessageId
from messaging.models import User
from messaging.models.events import EventType
from messaging.projections import MessageProjection, NotificationProjection
from messaging.services.deliveries import (
    DeletedMessage,
    Delivery,
    ErasedConversation,
    ParticipantChange,
    ReadRange,
)
from messaging.services.summaries import ConversationSummary


class MessageCreated(Out):
    type: Literal["message.created"] = "message.created"
    message: MessageOut


class MessageEdited(Out):
    """A message was edited; `message` has its present content."""

    type: Literal["message.edited"] = "message.edited"
    message: MessageOut


class MessageDeleted(Out):
    type: Literal["message.deleted"] = "message.deleted"
    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    message: MessageOut | None = Field(
        description="The tombstone that stays for its replies, or null."
    )


class _ReadRange(Out):
    conversation_id: ConversationId
    reader: UserOut
    from_sequence: int
    up_to_sequence: int


class MessageRead(_ReadRange):
    """A participant (or you) read the messages of others in this range of sequences."""

    type: Literal["message.read"] = "message.read"


class MessageUnread(_ReadRange):
    """A participant (or you) marked messages of others in this range unread."""

    type: Literal["message.unread"] = "message.unread"


class NotificationCreated(Out):
    type: Literal["notification.created"] = "notification.created"
    notification: NotificationOut


class ConversationCreated(Out):
    type: Literal["conversation.created"] = "conversation.created"
    conversation: ConversationOut


class ConversationUpdated(Out):
    """The title, the owners or your own settings of a conversation changed."""

    type: Literal["conversation.updated"] = "conversation.updated"
    conversation: ConversationOut


class ConversationDeleted(Out):
    """The other person of a direct conversation deleted their account."""

    type: Literal["conversation.deleted"] = "conversation.deleted"
    conversation_id: ConversationId


class ConversationReset(Out):
    """A former sender deleted their account: read the whole conversation again."""

    type: Literal["conversation.reset"] = "conversation.reset"
    conversation: ConversationOut


class _ParticipantChange(Out):
    conversation_id: ConversationId
    user: UserOut


class ParticipantAdded(_ParticipantChange):
    """A person (or you) was added to a group."""

    type: Literal["participant.added"] = "participant.added"


class ParticipantRemoved(_ParticipantChange):
    """A person left or was removed; if it is you, you get no further events of the group."""

    type: Literal["participant.removed"] = "participant.removed"


class UserUpdated(Out):
    """A person with whom you share a conversation changed their name."""

    type: Literal["user.updated"] = "user.updated"
    user: UserOut


class TypingChanged(Out):
    """A person started or stopped typing. Transient: it is not repeated after a reconnect."""

    type: Literal["typing"] = "typing"
    conversation_id: ConversationId
    user: UserOut
    typing: bool


class PresenceChanged(Out):
    """A person with whom you share a conversation went online or offline. Transient."""

    type: Literal["presence"] = "presence"
    user: UserOut
    online: bool


class Ready(Out):
    """The first frame of a stream without a cursor; its `id` is the present cursor."""

    type: Literal["ready"] = "ready"


class Reset(Out):
    """Events after your cursor are missing, since they are not kept: read everything again."""

    type: Literal["reset"] = "reset"


class Reconnect(Out):
    """The server is about to close the stream: reconnect with your last cursor."""

    type: Literal["reconnect"] = "reconnect"


LoggedEvent = (
    MessageCreated
    | MessageEdited
    | MessageDeleted
    | MessageRead
    | MessageUnread
    | NotificationCreated
    | ConversationCreated
    | ConversationUpdated
    | ConversationDeleted
    | ConversationReset
    | ParticipantAdded
    | ParticipantRemoved
    | UserUpdated
)
AnyEvent = LoggedEvent | TypingChanged | PresenceChanged | Ready | Reset | Reconnect

EVENT_STREAM: Final = "text/event-stream"


class StreamEvent(RootModel[Annotated[AnyEvent, Field(discriminator="type")]]):
    """The `data` of a frame. The frame's `event` is the type, its `id` a cursor."""


class PolledEvent(
    RootModel[Annotated[LoggedEvent | Reset, Field(discriminator="type")]]
):
    """An event of the log, or `reset`: events after your cursor are missing."""


class EventPage(Out):
    items: list[PolledEvent]
    next_cursor: str = Field(description="For `after`, whether there were any or not.")


Cursor = Annotated[Text | None, Field(max_length=1000)]


class StreamQuery(BaseModel):
    """Where to start, for clients that cannot send `Last-Event-ID`."""

    after: Cursor = Field(
        None,
        description="The `id` of the last event you had. Ignored with `Last-Event-ID`.",
    )


class PollQuery(BaseModel):
    """Where to start, how many events to return, and how long to wait for them."""

    after: Cursor = Field(
        None,
        description="`next_cursor` of the last answer. Without it, the answer has "
        "nothing but the cursor of now.",
    )
    timeout: Number = Field(25, ge=0, le=60, description="Seconds.")
    limit: Number = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


def event_json(event: AnyEvent) -> bytes:
    return event.model_dump_json().encode()


def event_out(delivery: Delivery) -> LoggedEvent:
    out: LoggedEvent
    match delivery.payload:
        case MessageProjection() as message:
            out = _message_event(delivery.type, message_out(message))
        case DeletedMessage() as deleted:
            out = _message_deleted(deleted)
        case ReadRange() as read_range:
            out = _range_out(delivery.type, read_range)
        case NotificationProjection() as notification:
            out = NotificationCreated(notification=notification_out(notification))
        case ConversationSummary() as summary:
            out = _conversation_event(delivery.type, conversation_out(summary))
        case ErasedConversation(conversation_id):
            out = ConversationDeleted(conversation_id=conversation_id)
        case ParticipantChange() as change:
            out = _participant_change_out(delivery.type, change)
        case User() as user:
            out = UserUpdated(user=user_out(user))
        case _:
            assert_never(delivery.payload)
    return out


def _message_event(event_type: EventType, message: MessageOut) -> LoggedEvent:
    created = event_type is EventType.MESSAGE_CREATED
    return (MessageCreated if created else MessageEdited)(message=message)


def _message_deleted(deleted: DeletedMessage) -> MessageDeleted:
    tombstone = deleted.tombstone
    return MessageDeleted(
        conversation_id=deleted.conversation_id,
        message_id=deleted.message_id,
        sequence=deleted.sequence,
        message=None if tombstone is None else message_out(tombstone),
    )


def _range_out(event_type: EventType, read_range: ReadRange) -> LoggedEvent:
    read = event_type is EventType.MESSAGE_READ
    return (MessageRead if read else MessageUnread)(
        conversation_id=read_range.conversation_id,
        reader=user_out(read_range.reader),
        from_sequence=read_range.first,
        up_to_sequence=read_range.last,
    )


def _conversation_event(
    event_type: EventType, conversation: ConversationOut
) -> LoggedEvent:
    match event_type:
        case EventType.CONVERSATION_CREATED:
            return ConversationCreated(conversation=conversation)
        case EventType.CONVERSATION_RESET:
            return ConversationReset(conversation=conversation)
        case _:
            return ConversationUpdated(conversation=conversation)


def _participant_change_out(
    event_type: EventType, change: ParticipantChange
) -> LoggedEvent:
    added = event_type is EventType.PARTICIPANT_ADDED
    return (ParticipantAdded if added else ParticipantRemoved)(
        conversation_id=change.conversation_id, user=user_out(change.user)
    )
