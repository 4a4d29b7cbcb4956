from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.schemas.fields import NotificationIdIn, PageQuery
from api.schemas.messages import NotificationPage, notification_page
from messaging.errors import NotificationNotFoundError
from messaging.services import notification_lists, notifications

router = Router(tags=["notifications"])


@operation(router, "GET", "", "notifications_list", {200: NotificationPage})
def list_notifications(
    request: ApiRequest, parameters: Query[PageQuery]
) -> Written[NotificationPage]:
    """List your notifications, newest first: what is unread, and read mentions and replies.

    Each has its message with the present content; a deleted message has no
    notification.
    """
    return notification_page(
        notification_lists.notification_page(
            reader=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "PUT",
    "/{notification_id}/read",
    "notifications_mark_read",
    {204: None},
    errors=[NotificationNotFoundError],
)
def mark_read(request: ApiRequest, notification_id: NotificationIdIn) -> Status[None]:
    """Mark a notification and its message read.

    The message leaves your inbox.
    """
    notifications.mark_notification_read(
        reader=request.auth.id, notification_id=notification_id
    )
    return Status(204, None)
