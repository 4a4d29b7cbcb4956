"""The inbox of unread messages."""

from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.schemas.fields import PageQuery
from api.schemas.messages import (
    InboxPage,
    InboxReadIn,
    InboxSummaryOut,
    inbox_page,
    inbox_summary_out,
)
from messaging.services import inbox

router = Router(tags=["inbox"])


@operation(router, "GET", "", "inbox_list", {200: InboxPage})
def list_inbox(request: ApiRequest, parameters: Query[PageQuery]) -> Written[InboxPage]:
    """List your unread messages of all conversations, newest first.

    This marks nothing read: for that, send `up_to` to `PUT /inbox/read`.
    """
    return inbox_page(
        inbox.unread_messages(
            reader=request.auth.user, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(router, "GET", "/summary", "inbox_summary", {200: InboxSummaryOut})
def get_summary(request: ApiRequest) -> InboxSummaryOut:
    """Count your unread messages.

    Also how many of them mention you, and how many conversations they are in.
    """
    return inbox_summary_out(inbox.inbox_summary(reader=request.auth.id))


@operation(router, "PUT", "/read", "inbox_mark_read", {204: None})
def mark_inbox_read(request: ApiRequest, body: InboxReadIn) -> Status[None]:
    """Mark read all messages of your inbox up to `up_to`.

    `up_to` comes from the inbox or its summary; messages that arrived later stay
    unread.
    """
    inbox.mark_inbox_read(reader=request.auth.id, up_to=body.up_to)
    return Status(204, None)
