"""Fan-out of events: from the ids in an event to the payload for each recipient.

Payloads are composed at delivery: the recipients are the participants at that time, and
deleted content is never sent. The number of queries is the same for any number of
events and recipients.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from messaging.ids import ConversationId, MessageId, Position, UserId
from messaging.models import Event, Participant, User
from messaging.models.events import EventType
from messaging.projections import MessageProjection, NotificationProjection
from messaging.services.message_lists import messages_by_id
from messaging.services.notification_lists import notifications_of, read_notification
from messaging.services.summaries import ConversationSummary, summaries_for

_MESSAGE_TYPES: Final = frozenset(
    {
        EventType.MESSAGE_CREATED,
        EventType.MESSAGE_EDITED,
        EventType.MESSAGE_DELETED,
        EventType.NOTIFICATION_CREATED,
    }
)
_SUMMARY_TYPES: Final = frozenset(
    {
        EventType.CONVERSATION_CREATED,
        EventType.CONVERSATION_UPDATED,
        EventType.CONVERSATION_RESET,
    }
)

# A larger audience is not passed to the query: parsing its parameters takes the
# database longer than reading all participants.
_MAX_NAMED_USERS: Final = 200


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """A deleted message, with the tombstone that stays above its replies, if any."""

    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    tombstone: MessageProjection | None


@dataclass(frozen=True, slots=True)
class ReadRange:
    """A range of messages that a user has read, or marked unread."""

    conversation_id: ConversationId
    reader: User
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ParticipantChange:
    """A user was added to a conversation, or removed from it."""

    conversation_id: ConversationId
    user: User


@dataclass(frozen=True, slots=True)
class ErasedConversation:
    conversation_id: ConversationId


Payload = (
    MessageProjection
    | DeletedMessage
    | ReadRange
    | NotificationProjection
    | ConversationSummary
    | ErasedConversation
    | ParticipantChange
    | User
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The payload of an event, and the recipients who get this payload."""

    position: Position
    type: EventType
    recipients: frozenset[UserId]
    payload: Payload


@dataclass(frozen=True, slots=True)
class _Found:
    """The rows that a batch of events needs, fetched together."""

    # By conversation: the event at which each participant joined.
    participants: Mapping[int, Mapping[UserId, int]]
    # By user: all who share a conversation with them.
    contacts: Mapping[int, frozenset[UserId]]
    messages: Mapping[int, MessageProjection]
    # By message, then by person.
    notifications: Mapping[int, Mapping[UserId, NotificationProjection]]
    summaries: Mapping[int, Mapping[UserId, ConversationSummary]]


def deliver(events: Sequence[Event], *, audience: frozenset[UserId]) -> list[Delivery]:
    """Compose the deliveries of these events to an audience, in order.

    Each recipient gets an event at most once. Recipients were participants at the time
    of the event and still are; the event's own `recipient` gets it in any case.
    """
    found = _find(events, audience)
    return [
        delivery
        for event in events
        if (recipients := _recipients(event, audience, found))
        for delivery in _deliveries(event, recipients, found)
    ]


def _recipients(
    event: Event, audience: frozenset[UserId], found: _Found
) -> frozenset[UserId]:
    if event.recipient_id is not None:
        return audience & {UserId(event.recipient_id)}
    if event.type == EventType.USER_UPDATED:
        return found.contacts.get(event.user_id or 0, frozenset())
    participants = found.participants.get(event.conversation_id or 0, {})
    return frozenset(
        # Users who joined later do not receive earlier events.
        user
        for user, since in participants.items()
        if since <= event.pk
    )


def _deliveries(
    event: Event, recipients: frozenset[UserId], found: _Found
) -> Iterator[Delivery]:
    event_type = EventType(event.type)
    position = event.place
    # Payloads that differ between recipients, for instance by their unread counts.
    own: Mapping[UserId, Payload] = {}
    if event_type is EventType.NOTIFICATION_CREATED:
        own = found.notifications.get(event.message_id or 0, {})
    elif event_type in _SUMMARY_TYPES:
        own = found.summaries.get(event.conversation_id or 0, {})
    elif (payload := _shared_payload(event, found)) is not None:
        yield Delivery(position, event_type, recipients, payload)
    for user in recipients & own.keys():
        yield Delivery(position, event_type, frozenset({user}), own[user])


def _shared_payload(  # noqa: PLR0911  # one for each kind of payload
    event: Event, found: _Found
) -> Payload | None:
    """The payload that is the same for all recipients; None if its message was deleted."""
    conversation_id = ConversationId(event.conversation_id or 0)
    message = found.messages.get(event.message_id or 0)
    match EventType(event.type):
        case EventType.MESSAGE_CREATED | EventType.MESSAGE_EDITED:
            return message
        case EventType.MESSAGE_DELETED:
            return DeletedMessage(
                conversation_id=conversation_id,
                message_id=MessageId(event.message_id or 0),
                sequence=event.last_sequence or 0,
                tombstone=message,
            )
        case EventType.CONVERSATION_DELETED:
            return ErasedConversation(conversation_id)
        case EventType.MESSAGE_READ | EventType.MESSAGE_UNREAD:
            return event.user and ReadRange(
                conversation_id=conversation_id,
                reader=event.user,
                first=event.first_sequence or 0,
                last=event.last_sequence or 0,
            )
        case EventType.PARTICIPANT_ADDED | EventType.PARTICIPANT_REMOVED:
            return event.user and ParticipantChange(conversation_id, event.user)
        case EventType.USER_UPDATED:
            return event.user
        case (
            EventType.NOTIFICATION_CREATED
            | EventType.CONVERSATION_CREATED
            | EventType.CONVERSATION_UPDATED
            | EventType.CONVERSATION_RESET
            | EventType.ACCESS_ENDED
        ):
            # Each recipient has a payload of their own, or there is no recipient.
            return None


def _find(events: Sequence[Event], audience: frozenset[UserId]) -> _Found:
    participants = _participants(events, audience)
    recipients = {UserId(event.recipient_id or 0) for event in events}
    concerned = frozenset[UserId]().union(*participants.values(), recipients & audience)
    messages = _messages(events)
    return _Found(
        participants=participants,
        contacts=_contacts(events, audience),
        messages=messages,
        notifications=_notifications(events, participants, messages, concerned),
        summaries=_summaries(events, concerned),
    )


def _ids(numbers: Iterable[int | None]) -> list[int]:
    return sorted({number for number in numbers if number is not None})


def _messages(events: Sequence[Event]) -> Mapping[int, MessageProjection]:
    ids = _ids(event.message_id for event in events if event.type in _MESSAGE_TYPES)
    found = messages_by_id(ids=ids) if ids else []
    return {message.id: message for message in found}


def _participants(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, Mapping[UserId, int]]:
    conversations = _ids(
        event.conversation_id for event in events if event.recipient_id is None
    )
    participants = Participant.objects.filter(conversation__in=conversations)
    if len(audience) <= _MAX_NAMED_USERS:
        participants = participants.filter(user__in=audience)
    found: dict[int, dict[UserId, int]] = defaultdict(dict)
    for conversation, user, since in participants.values_list(
        "conversation", "user", "joined_position"
    ):
        # The query leaves a larger audience unfiltered.
        if UserId(user) in audience:
            found[conversation][UserId(user)] = since
    return found


def _contacts(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, frozenset[UserId]]:
    renamed = _ids(
        event.user_id for event in events if event.type == EventType.USER_UPDATED
    )
    found: dict[int, set[UserId]] = {
        # Users receive their own rename, too.
        user: set(audience & {UserId(user)})
        for user in renamed
    }
    if renamed:
        shared = Participant.objects.filter(user__in=renamed)
        if len(audience) <= _MAX_NAMED_USERS:
            shared = shared.filter(conversation__participants__user__in=audience)
        for user, contact in shared.values_list(
            "user", "conversation__participants__user"
        ).distinct():
            if UserId(contact) in audience:
                found[user].add(UserId(contact))
    return {user: frozenset(contacts) for user, contacts in found.items()}


def _notifications(
    events: Sequence[Event],
    participants: Mapping[int, Mapping[UserId, int]],
    messages: Mapping[int, MessageProjection],
    audience: frozenset[UserId],
) -> Mapping[int, Mapping[UserId, NotificationProjection]]:
    about: dict[int, MessageProjection] = {}
    found: dict[int, dict[UserId, NotificationProjection]] = {}
    for event in events:
        message = messages.get(event.message_id or 0)
        # A deleted message has no notification.
        if (
            event.type != EventType.NOTIFICATION_CREATED
            or message is None
            or message.sender is None
        ):
            continue
        about[message.id] = message
        # As if read, which is not kept; those that are kept take their place.
        read = read_notification(message)
        found[message.id] = {
            user: read
            for user, since in participants.get(message.conversation_id, {}).items()
            if since <= event.pk and user != message.sender.id
        }
    if about:
        for user, notification in notifications_of(messages=about, users=audience):
            found[notification.message.id][user] = notification
    return found


def _summaries(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, Mapping[UserId, ConversationSummary]]:
    conversation_ids = _ids(
        event.conversation_id for event in events if event.type in _SUMMARY_TYPES
    )
    found: dict[int, dict[UserId, ConversationSummary]] = defaultdict(dict)
    if conversation_ids:
        for user, summary in summaries_for(
            users=audience, conversations=conversation_ids
        ):
            found[summary.id][user] = summary
    return found
