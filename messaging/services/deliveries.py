"""From an event, which holds ids alone, to what each person is told of it.

Composed when it is delivered: who takes part is asked then, and what was deleted
meanwhile is not told any more. A constant number of queries, however many events
and people there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from messaging.ids import ConversationId, MessageId, Position, UserId
from messaging.models import Event, Message, Notification, Participant, User
from messaging.models.events import EventType
from messaging.services.notifications import notifications_of
from messaging.services.summaries import ConversationSummary, summaries_for

_OF_MESSAGES = frozenset(
    {
        EventType.MESSAGE_CREATED,
        EventType.MESSAGE_EDITED,
        EventType.MESSAGE_DELETED,
    }
)
_OF_SUMMARIES = frozenset(
    {
        EventType.CONVERSATION_CREATED,
        EventType.CONVERSATION_UPDATED,
        EventType.CONVERSATION_RESET,
    }
)

# More people than that are not named to the database, which would take longer to
# read their names than to find all who take part.
_FEW: Final = 200


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """Which message went, and the tombstone that stays for its replies, if any."""

    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    tombstone: Message | None


@dataclass(frozen=True, slots=True)
class ReadRange:
    """What somebody read, or marked unread, of the others' messages."""

    conversation_id: ConversationId
    reader: User
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody's place in a conversation, which they took or left."""

    conversation_id: ConversationId
    user: User


@dataclass(frozen=True, slots=True)
class ErasedConversation:
    conversation_id: ConversationId


Fact = (
    Message
    | DeletedMessage
    | ReadRange
    | Notification
    | ConversationSummary
    | ErasedConversation
    | Seat
    | User
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event as some people are told it, all in the same words."""

    position: Position
    type: EventType
    recipients: frozenset[UserId]
    fact: Fact


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything that a batch of events needs, read at once."""

    # By conversation: who takes part, and since which position.
    parts: Mapping[int, Mapping[UserId, int]]
    # By person: who shares a conversation with them.
    contacts: Mapping[int, frozenset[UserId]]
    messages: Mapping[int, Message]
    # By message.
    notifications: Mapping[int, Sequence[Notification]]
    summaries: Mapping[int, Mapping[UserId, ConversationSummary]]


def deliver(events: Sequence[Event], *, audience: frozenset[UserId]) -> list[Delivery]:
    """What these people are told of these events, in order.

    Each person of an event at most once. Who was in the conversation when it
    happened, and still is, is told; a `recipient` in any case.
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
    parts = found.parts.get(event.conversation_id or 0, {})
    return frozenset(user for user, since in parts.items() if since <= event.position)


def _deliveries(
    event: Event, recipients: frozenset[UserId], found: _Found
) -> Iterator[Delivery]:
    event_type = EventType(event.type)
    position = Position(event.position)
    if event_type is EventType.NOTIFICATION_CREATED:
        for notification in found.notifications.get(event.message_id or 0, ()):
            user = UserId(notification.user_id)
            if user in recipients:
                yield Delivery(position, event_type, frozenset({user}), notification)
    elif event_type in _OF_SUMMARIES:
        summaries = found.summaries.get(event.conversation_id or 0, {})
        for user in recipients & summaries.keys():
            yield Delivery(position, event_type, frozenset({user}), summaries[user])
    elif (fact := _shared_fact(event, found)) is not None:
        yield Delivery(position, event_type, recipients, fact)


def _shared_fact(event: Event, found: _Found) -> Fact | None:
    """What all are told in the same words; None when there is nothing left to tell."""
    conversation_id = ConversationId(event.conversation_id or 0)
    message = found.messages.get(event.message_id or 0)
    match EventType(event.type):
        case EventType.MESSAGE_CREATED | EventType.MESSAGE_EDITED:
            return message
        case EventType.MESSAGE_DELETED:
            return DeletedMessage(
                conversation_id,
                MessageId(event.message_id or 0),
                event.last_sequence or 0,
                message,
            )
        case EventType.CONVERSATION_DELETED:
            return ErasedConversation(conversation_id)
        case EventType.MESSAGE_READ | EventType.MESSAGE_UNREAD if event.user:
            return ReadRange(
                conversation_id,
                event.user,
                event.first_sequence or 0,
                event.last_sequence or 0,
            )
        case EventType.PARTICIPANT_ADDED | EventType.PARTICIPANT_REMOVED if event.user:
            return Seat(conversation_id, event.user)
        case _:
            return event.user


def _find(events: Sequence[Event], audience: frozenset[UserId]) -> _Found:
    parts = _parts(events, audience)
    recipients = {UserId(event.recipient_id or 0) for event in events}
    concerned = frozenset[UserId]().union(*parts.values(), recipients & audience)
    messages = Message.objects.for_display().in_bulk(
        _ids(event.message_id for event in events if event.type in _OF_MESSAGES)
    )
    return _Found(
        parts=parts,
        contacts=_contacts(events, audience),
        messages=messages,
        notifications=_notifications(events, concerned),
        summaries=_summaries(events, concerned),
    )


def _ids(numbers: Iterable[int | None]) -> list[int]:
    return sorted({number for number in numbers if number is not None})


def _parts(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, Mapping[UserId, int]]:
    conversations = _ids(
        event.conversation_id for event in events if event.recipient_id is None
    )
    parts = Participant.objects.filter(conversation__in=conversations)
    if len(audience) <= _FEW:
        parts = parts.filter(user__in=audience)
    found: dict[int, dict[UserId, int]] = defaultdict(dict)
    for conversation, user, since in parts.values_list(
        "conversation", "user", "joined_position"
    ):
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
        user: set(audience & {UserId(user)}) for user in renamed
    }
    if renamed:
        shared = Participant.objects.filter(user__in=renamed)
        if len(audience) <= _FEW:
            shared = shared.filter(conversation__participants__user__in=audience)
        for user, contact in shared.values_list(
            "user", "conversation__participants__user"
        ).distinct():
            if UserId(contact) in audience:
                found[user].add(UserId(contact))
    return {user: frozenset(contacts) for user, contacts in found.items()}


def _notifications(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, Sequence[Notification]]:
    told = _ids(
        event.message_id
        for event in events
        if event.type == EventType.NOTIFICATION_CREATED
    )
    found: dict[int, list[Notification]] = defaultdict(list)
    if told:
        for notification in notifications_of(messages=told, users=audience):
            found[notification.message_id].append(notification)
    return found


def _summaries(
    events: Sequence[Event], audience: frozenset[UserId]
) -> Mapping[int, Mapping[UserId, ConversationSummary]]:
    shown = _ids(
        event.conversation_id for event in events if event.type in _OF_SUMMARIES
    )
    found: dict[int, dict[UserId, ConversationSummary]] = defaultdict(dict)
    if shown:
        for user, summary in summaries_for(users=audience, conversations=shown):
            found[summary.conversation.pk][user] = summary
    return found
