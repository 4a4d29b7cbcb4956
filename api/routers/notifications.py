"""Notifications."""

from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.schemas.fields import NotificationIdIn, PageQuery
from api.schemas.messages import NotificationPage, notification_page
from messaging.services import notifications

router = Router(tags=["notifications"])


@operation(router, "GET", "", "notifications_list", {200: NotificationPage})
def list_notifications(
    request: ApiRequest, parameters: Query[PageQuery]
) -> Written[NotificationPage]:
    """List your notifications, read ones too, newest first.

    Each with its message as it reads now: edited if it was, gone if it was deleted.
    """
    return notification_page(
        notifications.notification_page(
            reader=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "PUT",
    "/{notification_id}/read",
    "notifications_mark_read",
    {204: None},
    refusals=[404],
)
def mark_read(request: ApiRequest, notification_id: NotificationIdIn) -> Status[None]:
    """Mark a notification read, and its message with it.

    The two are the same: it leaves your inbox.
    """
    notifications.mark_notification_read(
        reader=request.auth.id, notification_id=notification_id
    )
    return Status(204, None)
