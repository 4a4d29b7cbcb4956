"""Live events: a closed union, told apart by `type`."""

from typing import Annotated, Final, Literal, assert_never

from pydantic import BaseModel, Field, RootModel

from api.schemas.conversations import ConversationOut, conversation_out
from api.schemas.fields import DEFAULT_LIMIT, MAX_LIMIT, Out, Text
from api.schemas.messages import (
    MessageOut,
    NotificationOut,
    message_out,
    notification_out,
)
from api.schemas.people import UserOut, user_out
from messaging.ids import ConversationId, MessageId
from messaging.models import Message, Notification, User
from messaging.models.events import EventType
from messaging.services.deliveries import (
    DeletedMessage,
    Delivery,
    ErasedConversation,
    ReadRange,
    Seat,
)
from messaging.services.summaries import ConversationSummary


class MessageCreated(Out):
    type: Literal["message.created"] = "message.created"
    message: MessageOut


class MessageEdited(Out):
    """The message as it reads now."""

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
    """Someone, you perhaps, read what others sent in this range."""

    type: Literal["message.read"] = "message.read"


class MessageUnread(_ReadRange):
    """Someone, you perhaps, marked what others sent in this range unread again."""

    type: Literal["message.unread"] = "message.unread"


class NotificationCreated(Out):
    type: Literal["notification.created"] = "notification.created"
    notification: NotificationOut


class ConversationCreated(Out):
    type: Literal["conversation.created"] = "conversation.created"
    conversation: ConversationOut


class ConversationUpdated(Out):
    """Its title, its owner, or what you alone set."""

    type: Literal["conversation.updated"] = "conversation.updated"
    conversation: ConversationOut


class ConversationDeleted(Out):
    """The other person of a direct conversation deleted their account."""

    type: Literal["conversation.deleted"] = "conversation.deleted"
    conversation_id: ConversationId


class ConversationReset(Out):
    """Someone who wrote there deleted their account: read the conversation anew."""

    type: Literal["conversation.reset"] = "conversation.reset"
    conversation: ConversationOut


class _Seat(Out):
    conversation_id: ConversationId
    user: UserOut


class ParticipantAdded(_Seat):
    """Someone, you perhaps, was let into a group."""

    type: Literal["participant.added"] = "participant.added"


class ParticipantRemoved(_Seat):
    """Someone left or was put out; if it is you, this is the last you hear of it."""

    type: Literal["participant.removed"] = "participant.removed"


class UserUpdated(Out):
    """Someone with whom you share a conversation has another name."""

    type: Literal["user.updated"] = "user.updated"
    user: UserOut


class TypingChanged(Out):
    """Someone began to write, or stopped. Told to whoever is listening, never again."""

    type: Literal["typing"] = "typing"
    conversation_id: ConversationId
    user: UserOut
    typing: bool


class PresenceChanged(Out):
    """Someone with whom you share a conversation came or went. Never told again."""

    type: Literal["presence"] = "presence"
    user: UserOut
    online: bool


class Ready(Out):
    """The stream begins here: its first frame, with the cursor of now."""

    type: Literal["ready"] = "ready"


class Reset(Out):
    """What came after your cursor is not kept any more: read everything anew."""

    type: Literal["reset"] = "reset"


class Reconnect(Out):
    """The server is about to close the stream: come back with your last cursor."""

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
    """The `data` of a frame, whose `event` is its type; `id` is a cursor."""


class PolledEvent(
    RootModel[Annotated[LoggedEvent | Reset, Field(discriminator="type")]]
):
    """What happened, or `reset`: some of it is not kept any more."""


class EventPage(Out):
    items: list[PolledEvent]
    next_cursor: str = Field(description="For `after`, whether there were any or not.")


Cursor = Annotated[Text | None, Field(max_length=1000)]


class StreamQuery(BaseModel):
    """From where on, for whoever cannot send `Last-Event-ID`."""

    after: Cursor = Field(
        None,
        description="The `id` of the last event you had. Ignored with `Last-Event-ID`.",
    )


class PollQuery(BaseModel):
    """From where on, how much, and how long to wait for it."""

    after: Cursor = Field(
        None,
        description="`next_cursor` of the last answer. Without it, the answer has "
        "nothing but the cursor of now.",
    )
    timeout: int = Field(25, ge=0, le=60, description="Seconds.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)


def event_json(event: AnyEvent) -> bytes:
    return event.model_dump_json().encode()


def event_out(delivery: Delivery) -> LoggedEvent:
    out: LoggedEvent
    match delivery.fact:
        case Message() as message:
            out = _message_event(delivery.type, message_out(message))
        case DeletedMessage() as deleted:
            out = _message_deleted(deleted)
        case ReadRange() as reading:
            out = _range_out(delivery.type, reading)
        case Notification() as notification:
            out = NotificationCreated(notification=notification_out(notification))
        case ConversationSummary() as summary:
            out = _conversation_event(delivery.type, conversation_out(summary))
        case ErasedConversation(conversation_id):
            out = ConversationDeleted(conversation_id=conversation_id)
        case Seat() as seat:
            out = _seat_out(delivery.type, seat)
        case User() as user:
            out = UserUpdated(user=user_out(user))
        case _:
            assert_never(delivery.fact)
    return out


def _message_event(event_type: EventType, shown: MessageOut) -> LoggedEvent:
    created = event_type is EventType.MESSAGE_CREATED
    return MessageCreated(message=shown) if created else MessageEdited(message=shown)


def _message_deleted(deleted: DeletedMessage) -> MessageDeleted:
    tombstone = deleted.tombstone
    return MessageDeleted(
        conversation_id=deleted.conversation_id,
        message_id=deleted.message_id,
        sequence=deleted.sequence,
        message=None if tombstone is None else message_out(tombstone),
    )


def _range_out(event_type: EventType, reading: ReadRange) -> LoggedEvent:
    read = event_type is EventType.MESSAGE_READ
    return (MessageRead if read else MessageUnread)(
        conversation_id=reading.conversation_id,
        reader=user_out(reading.reader),
        from_sequence=reading.first,
        up_to_sequence=reading.last,
    )


def _conversation_event(event_type: EventType, shown: ConversationOut) -> LoggedEvent:
    match event_type:
        case EventType.CONVERSATION_CREATED:
            return ConversationCreated(conversation=shown)
        case EventType.CONVERSATION_RESET:
            return ConversationReset(conversation=shown)
        case _:
            return ConversationUpdated(conversation=shown)


def _seat_out(event_type: EventType, seat: Seat) -> LoggedEvent:
    added = event_type is EventType.PARTICIPANT_ADDED
    return (ParticipantAdded if added else ParticipantRemoved)(
        conversation_id=seat.conversation_id, user=user_out(seat.user)
    )
