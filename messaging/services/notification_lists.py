"""Lists of notifications."""

from collections.abc import Collection, Iterator, Mapping

from messaging.cursors import decode_number, encode_cursor
from messaging.ids import NotificationId, UserId
from messaging.models import Notification
from messaging.models.notifications import NotificationKind
from messaging.pagination import Page, cut_page
from messaging.projections import MessageProjection, NotificationProjection


def notification_page(
    *, reader: UserId, cursor: str | None, limit: int
) -> Page[NotificationProjection]:
    """What is unread, and the mentions and replies that are read; with messages, newest first."""
    notifications = Notification.objects.of(reader)
    if cursor is not None:
        before = decode_number("notified", cursor)
        notifications = notifications.filter(message__lt=before)
    rows = notifications.order_by("-message")[: limit + 1]
    return cut_page(
        NotificationProjection.from_rows(
            rows.values_list(*NotificationProjection.columns())
        ),
        limit=limit,
        cursor_of=lambda last: encode_cursor("notified", last.message.id),
    )


def notifications_of(
    *, messages: Mapping[int, MessageProjection], users: Collection[UserId]
) -> Iterator[tuple[UserId, NotificationProjection]]:
    """The notifications of these users about these messages, as far as they are kept."""
    found = Notification.objects.filter(message__in=messages.keys(), user__in=users)
    rows = found.values_list(
        "user", "message", "kind", "created_at", "is_read", "silent"
    )
    for user, message, kind, created_at, is_read, silent in rows:
        yield (
            UserId(user),
            NotificationProjection(
                id=NotificationId(message),
                kind=kind,
                message=messages[message],
                created_at=created_at,
                is_read=is_read,
                silent=silent,
            ),
        )


def read_notification(message: MessageProjection) -> NotificationProjection:
    """The notification of an ordinary message, after it was read and is not kept any more."""
    return NotificationProjection(
        id=NotificationId(message.id),
        kind=NotificationKind.MESSAGE,
        message=message,
        created_at=message.timestamp,
        is_read=True,
        silent=False,
    )
