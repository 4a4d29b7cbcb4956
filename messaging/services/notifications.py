"""Who is told of what, and what is still unread.

An unread notification is the unread state: counts, inbox and `Message.read` all
follow from it. Everything here that changes one holds its conversation's lock,
so that of two last readers the second sees that the first is done.
"""

from collections.abc import Collection
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, Max, Min, OuterRef

from messaging.access import (
    Membership,
    ReadableMessage,
    ReceivedMessage,
    lock_conversations,
    locked_for,
    message_deleted,
    message_not_found,
)
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import (
    ConversationNotFoundError,
    NotificationNotFoundError,
)
from messaging.ids import (
    ConversationId,
    MessageId,
    NotificationId,
    Sequence,
    UserId,
)
from messaging.models import (
    Conversation,
    Event,
    Message,
    Notification,
    Participant,
)
from messaging.models.events import EventType
from messaging.models.messages import DISPLAYED_COLUMNS
from messaging.models.notifications import NotificationKind, NotificationQuerySet
from messaging.pages import Page, cut_page
from messaging.services.events import record_events
from messaging.services.installation import tick
from messaging.statements import Parameter, Statement
from messaging.text import mentioned_usernames
from messaging.writes import Insertion

_RECEIVERS: Final = Statement(
    lambda: (
        Participant.objects.filter(conversation=Parameter("conversation"))
        .exclude(user=Parameter("sender"))
        .values_list("user_id", "muted")
    )
)
_STORED: Final = Statement(lambda: Message.objects.filter(pk=Parameter("message")))
_NOTIFIED: Final = Insertion(Notification)


def notify_receivers(*, message: Message) -> None:
    """Tell everyone else in the conversation of a new message.

    Without anyone to tell, the message counts as read.
    """
    receivers = _RECEIVERS.all(
        conversation=message.conversation_id, sender=message.sender_id
    )
    if not receivers:
        Message.objects.filter(pk=message.pk).update(read=True)
        message.read = True
        record_events([_event(EventType.MESSAGE_CREATED, message)])
        return
    mentioned = _mentioned_participants(message)
    answered = _answered_person(message)
    position = record_events(
        [
            _event(EventType.MESSAGE_CREATED, message),
            _event(EventType.NOTIFICATION_CREATED, message),
        ]
    )
    _NOTIFIED.run(
        Notification(
            user_id=user_id,
            message=message,
            conversation_id=message.conversation_id,
            kind=_kind(user_id, mentioned=mentioned, answered=answered),
            position=position,
            silent=muted,
        )
        for user_id, muted in receivers
    )


def notification_page(
    *, reader: UserId, cursor: str | None, limit: int
) -> Page[Notification]:
    """All of a person's notifications with their messages, newest first."""
    notifications = Notification.objects.of(reader)
    if cursor is not None:
        position = decode_number("notifications", cursor)
        notifications = notifications.filter(position__lt=position)
    rows = _for_display(notifications).order_by("-position")
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda row: encode_cursor("notifications", row.position),
    )


def notifications_of(
    *, messages: Collection[int], users: Collection[UserId]
) -> NotificationQuerySet:
    """What these people were told of these messages."""
    return _for_display(
        Notification.objects.filter(message__in=messages, user__in=users)
    )


def receipt_page(
    *, message: ReadableMessage, cursor: str | None, limit: int
) -> Page[Notification]:
    """Who was told of a message and whether they read it, the readers' ids rising."""
    receipts = Notification.objects.filter(message=message)
    if cursor is not None:
        receipts = receipts.filter(user__gt=decode_number("receipts", cursor))
    rows = (
        receipts.select_related("user")
        .only("is_read", "user__username", "user__display_name")
        .order_by("user")
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda row: encode_cursor("receipts", row.user_id),
    )


def first_unread(*, membership: Membership) -> MessageId | None:
    """Where someone's reading of a conversation goes on; None when all is read."""
    unread = Notification.objects.unread().filter(
        conversation=membership.conversation_id, user=membership.user_id
    )
    message_id = (
        unread.order_by("message__sequence").values_list("message", flat=True).first()
    )
    return None if message_id is None else MessageId(message_id)


def mark_message_read(*, message: ReceivedMessage, reader: UserId) -> None:
    """Mark one message read; nothing happens when it is already."""
    mark_read(Notification.objects.filter(message=message), reader=reader)


def mark_message_unread(*, message: ReceivedMessage, reader: UserId) -> None:
    """Bring a message back into its reader's inbox, at its old place if it had one.

    Raises:
        MessageNotFoundError, DeletedMessageError: it was deleted meanwhile, or the
            reader left.
    """
    with transaction.atomic():
        lock_around(message, participant=reader)
        stored = stored_message(message)
        was_read = stored.read
        notified = Notification.objects.filter(message=stored, user=reader)
        if not notified.update(is_read=False):
            _bring_to(reader, stored)
        if was_read:
            Message.objects.filter(pk=stored.pk).update(read=False)
            _renew_pages([stored.conversation_id])
        record_events([_event(EventType.MESSAGE_UNREAD, stored, reader=reader)])


def mark_conversation_read(*, membership: Membership, up_to: Sequence) -> None:
    """Mark what a conversation holds read, up to and with this sequence."""
    mark_read(
        Notification.objects.filter(
            conversation=membership.conversation_id, message__sequence__lte=up_to
        ),
        reader=UserId(membership.user_id),
    )


def mark_notification_read(*, reader: UserId, notification_id: NotificationId) -> None:
    """Mark the message of a notification read; the two are the same.

    Raises:
        NotificationNotFoundError: they have no such notification.
    """
    notifications = Notification.objects.of(reader).filter(pk=notification_id)
    if not notifications.exists():
        raise NotificationNotFoundError("You have no such notification.")
    mark_read(notifications, reader=reader)


def mark_read(notifications: NotificationQuerySet, *, reader: UserId) -> None:
    """Mark whichever of these are the reader's and unread."""
    unread = notifications.of(reader).unread()
    with transaction.atomic():
        conversations = set(unread.values_list("conversation", flat=True))
        if not conversations:
            return
        lock_conversations(Conversation.objects.filter(pk__in=conversations))
        unread = unread.filter(conversation__in=conversations)
        events = _readings(unread, reader=reader)
        if not events:
            return
        settle_messages(unread, reader=reader)
        unread.update(is_read=True)
        record_events(events)


def withdraw_notifications(*, user_id: UserId, conversation_id: ConversationId) -> None:
    """Forget what someone who leaves was told; the conversation is locked.

    A message that only they had not read is read from now on.
    """
    theirs = Notification.objects.of(user_id).filter(conversation=conversation_id)
    settle_messages(theirs.unread(), reader=user_id)
    theirs.delete()


def settle_messages(unread: NotificationQuerySet, *, reader: UserId) -> None:
    """Set `read` on the messages that these are the last unread notifications of."""
    others = Notification.objects.unread().filter(message=OuterRef("pk"))
    settled = Message.objects.filter(
        ~Exists(others.exclude(user=reader)),
        pk__in=unread.values("message"),
        read=False,
    )
    conversations = set(settled.values_list("conversation", flat=True))
    if conversations:
        settled.update(read=True)
        _renew_pages(conversations)


def lock_around(message: Message, *, participant: UserId) -> Conversation:
    """`locked_for` a message's conversation.

    Raises:
        MessageNotFoundError: they take no part in it any more.
    """
    try:
        return locked_for(
            participant=participant,
            conversation_id=ConversationId(message.conversation_id),
        )
    except ConversationNotFoundError as error:
        raise message_not_found() from error


def stored_message(message: Message) -> Message:
    """The row as it is now, its conversation being locked.

    Raises:
        MessageNotFoundError: it was deleted meanwhile.
        DeletedMessageError: only its tombstone is left.
    """
    stored = _STORED.first(message=message.pk)
    if stored is None:
        raise message_not_found()
    if stored.deleted:
        raise message_deleted()
    return stored


def _readings(unread: NotificationQuerySet, *, reader: UserId) -> list[Event]:
    """For each conversation, from which of its messages to which is about to be read."""
    ranges = (
        unread.order_by("conversation")
        .values("conversation")
        .annotate(first=Min("message__sequence"), last=Max("message__sequence"))
    )
    return [
        Event(
            type=EventType.MESSAGE_READ,
            conversation_id=row["conversation"],
            first_sequence=row["first"],
            last_sequence=row["last"],
            user_id=reader,
        )
        for row in ranges
    ]


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


def _for_display(notifications: NotificationQuerySet) -> NotificationQuerySet:
    return notifications.select_related("message__sender", "message__receiver").only(
        "user",
        "kind",
        "position",
        "created_at",
        "is_read",
        "silent",
        *(f"message__{column}" for column in DISPLAYED_COLUMNS),
    )


def _renew_pages(conversations: Collection[int]) -> None:
    Conversation.objects.filter(pk__in=conversations).update(version=F("version") + 1)


def _bring_to(reader: UserId, message: Message) -> None:
    """Notify someone who never was, because they joined later or it was imported."""
    mentioned = _mentioned_participants(message)
    answered = _answered_person(message)
    Notification.objects.create(
        user_id=reader,
        message=message,
        conversation_id=message.conversation_id,
        kind=_kind(reader, mentioned=mentioned, answered=answered),
        silent=Participant.objects.filter(
            conversation=message.conversation_id, user=reader, muted=True
        ).exists(),
        position=tick(),
    )


def _mentioned_participants(message: Message) -> frozenset[int]:
    names = mentioned_usernames(message.content)
    if not names:
        return frozenset()
    return frozenset(
        Participant.objects.filter(
            conversation=message.conversation_id, user__username_key__in=names
        ).values_list("user_id", flat=True)
    )


def _answered_person(message: Message) -> int | None:
    return message.parent_message.sender_id if message.parent_message else None


def _kind(
    user_id: int, *, mentioned: frozenset[int], answered: int | None
) -> NotificationKind:
    if user_id in mentioned:
        return NotificationKind.MENTION
    if user_id == answered:
        return NotificationKind.REPLY
    return NotificationKind.MESSAGE
