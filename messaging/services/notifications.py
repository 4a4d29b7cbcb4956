"""Notifications, and the unread state that is derived from them.

Unread notifications are the unread state: counts, inbox and `Message.read` follow from
them. Every change here requires the conversation's lock: if the last two readers read
at the same time, the second sees that the first has read.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q, QuerySet

from messaging.access import Membership, ReceivedMessage
from messaging.changes import Change, changing, changing_conversation_of
from messaging.database import BATCH_SIZE, CompiledQuery
from messaging.errors import InvalidError, NotificationNotFoundError
from messaging.ids import ConversationId, MessageId, NotificationId, UserId
from messaging.ids import Sequence as MessageSequence
from messaging.models import Event, Message, Notification, Participant
from messaging.models.events import EventType
from messaging.models.notifications import NotificationQuerySet
from messaging.sequence_ranges import SequenceRange, merged
from messaging.services.installation import read_clock
from messaging.services.limits import count_fan_out
from messaging.services.notification_kinds import kinds_of
from messaging.services.read_marks import ReadRequest, mark_fully_read, mark_read
from messaging.services.receipts import read_messages, was_notified
from messaging.services.stored_messages import stored_message
from messaging.services.unread_lookups import unread_among, unread_within

# Messages that are marked unread at once: more than a page of them has.
MOST_TAKEN_BACK: Final = 100


@CompiledQuery
def _first_unread(
    *, conversation: int, reader: int
) -> QuerySet[Notification, tuple[int, int]]:
    # `IN`, so that SQLite takes the index of this conversation: see `unread_in`.
    unread = Notification.objects.filter(
        conversation=conversation, user=reader, is_read__in=(False,)
    )
    rows = unread.order_by("message__sequence")
    return rows.values_list("message_id", "message__sequence")


@dataclass(frozen=True, slots=True)
class FirstUnread:
    """The message at which reading a conversation goes on."""

    message_id: MessageId
    sequence: MessageSequence


def notify_receivers(*, message: Message) -> None:
    """Notify all other participants of a new message.

    Without other participants, the message counts as read.

    Raises:
        RateLimitedError: the sender's messages to groups had too many receivers lately.
    """
    conversation_id = ConversationId(message.conversation_id)
    sender = UserId(message.sender_id or 0)
    with changing(conversation_id, by=sender) as change:
        participants = change.participants_of(conversation_id)
        receivers = [each for each in participants.items() if each[0] != sender]
        created = _event(EventType.MESSAGE_CREATED, message)
        change.record(created)
        if not receivers:
            change.update(Message.objects.filter(pk=message.pk), read=True)
            message.read = True
            return
        # A message to one person is no fan-out.
        if len(receivers) > 1:
            count_fan_out(user_id=sender, receivers=len(receivers))
        _notify(message, receivers, change)


def _notify(
    message: Message, receivers: Iterable[tuple[int, bool]], change: Change
) -> None:
    notified = _event(EventType.NOTIFICATION_CREATED, message)
    change.record(notified)
    kinds = kinds_of(message)
    notifications = (
        Notification(
            user_id=user_id,
            message=message,
            conversation_id=message.conversation_id,
            kind=kinds.of(user_id),
            silent=muted,
        )
        for user_id, muted in receivers
    )
    change.insert_with(notified, notifications)


def first_unread(*, membership: Membership) -> FirstUnread | None:
    """The first unread message of a conversation; None if there is none."""
    rows = _first_unread.page(
        1, conversation=membership.conversation_id, reader=membership.user_id
    )
    return next(
        (
            FirstUnread(MessageId(pk), MessageSequence(sequence))
            for pk, sequence in rows
        ),
        None,
    )


def mark_message_read(*, message: ReceivedMessage, reader: UserId) -> None:
    """Mark one message read; idempotent."""
    notifications = Notification.objects.filter(message=message)
    mark_read(ReadRequest(unread_among(notifications, reader=reader), reader))


def mark_message_unread(*, message: ReceivedMessage, reader: UserId) -> None:
    """Mark a message unread; it returns to its place in the inbox.

    Raises:
        MessageNotFoundError, DeletedMessageError: the message was deleted meanwhile, or
            the reader left.
    """
    with changing_conversation_of(message, by=reader) as change:
        stored = stored_message(message)
        unread = Notification.objects.unread().of(reader).filter(message=stored)
        if not unread.exists():
            _mark_unread([stored], reader, change)


def mark_ranges_read(
    *, membership: Membership, ranges: Collection[SequenceRange]
) -> None:
    """Mark the messages of a conversation read that are in one of these ranges.

    What is in none of them stays as it is, and no event says otherwise. A range may name
    messages that do not exist.
    """
    disjoint = merged(ranges)
    if not disjoint:
        return
    # Before the notifications are read: see `ReadRequest`.
    since = read_clock()
    unread = unread_within(disjoint, membership=membership)
    mark_read(ReadRequest(unread, UserId(membership.user_id), disjoint, since))


def mark_ranges_unread(
    *, membership: Membership, ranges: Collection[SequenceRange]
) -> None:
    """Mark messages unread again that were read, to take back `mark_ranges_read`.

    In one transaction, and so at most `MOST_TAKEN_BACK`.

    Raises:
        InvalidError: the ranges span more than that.
        ConversationNotFoundError: the reader left meanwhile.
    """
    disjoint = merged(ranges)
    if sum(each.last - each.first + 1 for each in disjoint) > MOST_TAKEN_BACK:
        raise InvalidError("These are too many messages.", field="range")
    reader = UserId(membership.user_id)
    conversation_id = ConversationId(membership.conversation_id)
    with changing(conversation_id, by=reader) as change:
        found = read_messages(reader).in_conversation(conversation_id)
        read = [*found.filter(_in_one_of(disjoint)).order_by("sequence")]
        if read:
            _mark_unread(read, reader, change)


def _mark_unread(messages: Sequence[Message], reader: UserId, change: Change) -> None:
    """Notify a user again, or for the first time, of messages of one conversation."""
    read = Notification.objects.of(reader).filter(message__in=messages)
    kinds = dict(read.values_list("message", "kind"))
    change.erase(read)
    participant = Participant.objects.get(
        conversation=messages[0].conversation_id, user=reader
    )
    for message in messages:
        unread = _event(EventType.MESSAGE_UNREAD, message, reader=reader)
        kind = kinds.get(message.pk) or _kind_again(message, participant)
        change.record(unread)
        change.insert_with(
            unread,
            [
                Notification(
                    user_id=reader,
                    message=message,
                    conversation_id=message.conversation_id,
                    kind=kind,
                    silent=participant.muted,
                )
            ],
        )
    fully_read = [message.pk for message in messages if message.read]
    if fully_read:
        change.update(Message.objects.filter(pk__in=fully_read), read=False)
        change.renew(messages[0].conversation_id)


def _kind_again(message: Message, participant: Participant) -> str:
    """The kind of a notification that is not kept."""
    if was_notified(message, participant):
        # Read mentions and replies are kept.
        return Notification.Kind.MESSAGE
    return kinds_of(message).of(participant.user_id)


def _in_one_of(ranges: Iterable[SequenceRange]) -> Q:
    """Matches nothing without a range."""
    wanted = Q(pk__in=())
    for each in ranges:
        wanted |= Q(sequence__range=(each.first, each.last))
    return wanted


def mark_notification_read(*, reader: UserId, notification_id: NotificationId) -> None:
    """Mark a notification read, and thereby its message. Idempotent.

    Raises:
        NotificationNotFoundError: the reader has no such notification.
    """
    notifications = Notification.objects.of(reader).filter(message=notification_id)
    if not notifications.exists():
        if read_messages(reader).filter(pk=notification_id).exists():
            return
        raise NotificationNotFoundError("You have no such notification.")
    mark_read(ReadRequest(unread_among(notifications, reader=reader), reader))


def withdraw_notifications(
    *, user_id: UserId, conversation_id: ConversationId, change: Change
) -> None:
    """Delete the notifications of a user who leaves a conversation.

    A message that only this user had not read becomes read.
    """
    theirs = _notifications_in(user_id=user_id, conversation_id=conversation_id)
    _withdraw(theirs, user_id, change)


def withdraw_batch(
    *, user_id: UserId, conversation_id: ConversationId, change: Change
) -> bool:
    """Delete `BATCH_SIZE` of these notifications, or nothing if there are no more than that.

    Call it in changes of its own before `withdraw_notifications`, so that no change
    takes long.

    Returns:
        Whether a batch was deleted, and notifications remain.
    """
    theirs = _notifications_in(user_id=user_id, conversation_id=conversation_id)
    first = list(theirs.values_list("pk", flat=True)[: BATCH_SIZE + 1])
    if len(first) <= BATCH_SIZE:
        return False
    batch = Notification.objects.filter(pk__in=first[:BATCH_SIZE])
    _withdraw(batch, user_id, change)
    return True


def _notifications_in(
    *, user_id: UserId, conversation_id: ConversationId
) -> NotificationQuerySet:
    return Notification.objects.of(user_id).filter(conversation=conversation_id)


def _withdraw(
    notifications: NotificationQuerySet, user_id: UserId, change: Change
) -> None:
    mark_fully_read(notifications.unread(), reader=user_id, change=change)
    change.erase(notifications)


def _event(
    event_type: EventType, message: Message, *, reader: UserId | None = None
) -> Event:
    return Event(
        type=event_type,
        conversation_id=message.conversation_id,
        message_id=message.pk,
        first_sequence=message.sequence,
        last_sequence=message.sequence,
        user_id=reader,
    )
