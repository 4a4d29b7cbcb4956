"""Lists of notifications, and of who has read a message."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated

from messaging.access import ReadableMessage
from messaging.cursors import decode_number, encode_cursor
from messaging.ids import UserId
from messaging.models import Notification
from messaging.models.notifications import NotificationQuerySet
from messaging.pagination import Page, cut_page
from messaging.projections import (
    From,
    NotificationProjection,
    Projection,
    UserProjection,
)


@dataclass(slots=True)
class Receipt(Projection):
    """Whether a user who was notified of a message has read it."""

    user: UserProjection
    read: Annotated[bool, From("is_read")]


@dataclass(slots=True)
class _NotificationRow(Projection):
    """A notification with its user, and its position in the user's list."""

    notification: Annotated[NotificationProjection, From("")]
    user_id: UserId
    position: int


def notification_page(
    *, reader: UserId, cursor: str | None, limit: int
) -> Page[NotificationProjection]:
    """All notifications of a user with their messages, newest first."""
    notifications = Notification.objects.of(reader)
    if cursor is not None:
        position = decode_number("notifications", cursor)
        notifications = notifications.filter(position__lt=position)
    page = cut_page(
        _notification_rows(notifications.order_by("-position")[: limit + 1]),
        limit=limit,
        cursor_of=lambda row: encode_cursor("notifications", row.position),
    )
    return Page([row.notification for row in page.items], page.next_cursor)


def notifications_of(
    *, messages: Collection[int], users: Collection[UserId]
) -> Iterator[tuple[UserId, NotificationProjection]]:
    """The notifications of these users about these messages."""
    found = Notification.objects.filter(message__in=messages, user__in=users)
    return ((row.user_id, row.notification) for row in _notification_rows(found))


def receipt_page(
    *, message: ReadableMessage, cursor: str | None, limit: int
) -> Page[Receipt]:
    """Read receipts: the users who were notified of a message, by ascending user id."""
    receipts = Notification.objects.filter(message=message)
    if cursor is not None:
        receipts = receipts.filter(user__gt=decode_number("receipts", cursor))
    rows = receipts.order_by("user").values_list(*Receipt.columns())
    return cut_page(
        Receipt.from_rows(rows[: limit + 1]),
        limit=limit,
        cursor_of=lambda receipt: encode_cursor("receipts", receipt.user.id),
    )


def _notification_rows(notifications: NotificationQuerySet) -> list[_NotificationRow]:
    return _NotificationRow.from_rows(
        notifications.values_list(*_NotificationRow.columns())
    )
