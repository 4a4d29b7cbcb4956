"""Single messages: sending directly, reading, editing, deleting, marking; their trees."""

from django.http import HttpResponse
from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.preconditions import IfMatch, versions_of
from api.resources import MESSAGE, described
from api.schemas.fields import MessageIdIn, PageQuery, VersionIn
from api.schemas.messages import (
    DirectMessageIn,
    MessageOut,
    MessagePatch,
    ReceiptPage,
    ReplyPage,
    ThreadOut,
    ThreadQuery,
    VersionPage,
    receipt_page,
    reply_page,
    thread_out,
    version_page,
)
from messaging import access
from messaging.services import history, messages, notifications, threads, users

router = Router(tags=["messages"])


@operation(
    router,
    "POST",
    "",
    "messages_send_direct",
    {201: MessageOut},
    refusals=[404, 409],
    result=MESSAGE,
)
def send_direct_message(
    request: ApiRequest, body: DirectMessageIn, response: HttpResponse
) -> Status[MessageOut]:
    """Send a message to one person.

    The first one starts your direct conversation.
    """
    message = messages.send_direct_message(
        sender=request.auth.user,
        receiver=users.active_user(username=body.receiver),
        content=body.content,
        parent_id=body.parent_message_id,
    )
    response["Location"] = f"/api/v1/messages/{message.pk}"
    return Status(201, described(message, response))


@operation(
    router,
    "GET",
    "/{message_id}",
    "messages_get",
    {200: MessageOut},
    refusals=[404],
)
def get_message(
    request: ApiRequest, message_id: MessageIdIn, response: HttpResponse
) -> MessageOut:
    """Show a message.

    A deleted one with replies is shown as its tombstone: `deleted`, without content and
    sender.
    """
    message = access.readable_message(reader=request.auth.id, message_id=message_id)
    return described(message, response)


@operation(
    router,
    "PATCH",
    "/{message_id}",
    "messages_edit",
    {200: MessageOut},
    refusals=[404, 409, 412],
    result=MESSAGE,
)
def edit_message(
    request: ApiRequest,
    message_id: MessageIdIn,
    body: MessagePatch,
    response: HttpResponse,
    if_match: IfMatch = None,
) -> MessageOut:
    """Edit a message you sent.

    What it said before stays in its history. Nobody is notified. With `If-Match`, 412 and the
    current ETag when someone was faster.
    """
    message = access.own_message(sender=request.auth.id, message_id=message_id)
    edited = messages.edit_message(
        message=message,
        content=body.content,
        versions=versions_of(message_id, if_match),
    )
    return described(edited, response)


@operation(
    router,
    "DELETE",
    "/{message_id}",
    "messages_delete",
    {204: None},
    refusals=[404, 409, 412],
)
def delete_message(
    request: ApiRequest, message_id: MessageIdIn, if_match: IfMatch = None
) -> Status[None]:
    """Delete a message you sent, with its history.

    While it has replies, an empty tombstone stays in its place. With `If-Match`, 412 and the
    current ETag when someone was faster.
    """
    message = access.own_message(sender=request.auth.id, message_id=message_id)
    messages.delete_message(message=message, versions=versions_of(message_id, if_match))
    return Status(204, None)


@operation(
    router,
    "GET",
    "/{message_id}/thread",
    "threads_get",
    {200: ThreadOut},
    refusals=[404],
)
def get_thread(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[ThreadQuery]
) -> Written[ThreadOut]:
    """Read a message and its replies as a nested tree.

    Filled level by level, oldest first. Where `has_more_replies`, replies were left out:
    ask for that message's own thread, or for its replies page by page.
    """
    root = access.readable_message(reader=request.auth.id, message_id=message_id)
    return thread_out(
        threads.thread(root=root, depth=parameters.depth, nodes=parameters.nodes)
    )


@operation(
    router,
    "GET",
    "/{message_id}/replies",
    "threads_list_replies",
    {200: ReplyPage},
    refusals=[404],
)
def list_replies(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> Written[ReplyPage]:
    """Read all replies below a message, of any depth, page by page.

    In reading order: a message, then its replies, oldest first among siblings.
    """
    root = access.readable_message(reader=request.auth.id, message_id=message_id)
    return reply_page(
        threads.reply_page(root=root, cursor=parameters.cursor, limit=parameters.limit)
    )


@operation(
    router,
    "GET",
    "/{message_id}/receipts",
    "messages_list_receipts",
    {200: ReceiptPage},
    refusals=[404],
)
def list_receipts(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> ReceiptPage:
    """List who was notified of a message, and whether they have read it.

    In the order in which they opened their accounts. Nobody is notified of what they wrote
    themselves, nor of what was said before they came.
    """
    message = access.readable_message(reader=request.auth.id, message_id=message_id)
    return receipt_page(
        notifications.receipt_page(
            message=message, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "GET",
    "/{message_id}/history",
    "history_list",
    {200: VersionPage},
    refusals=[404],
)
def list_versions(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> Written[VersionPage]:
    """List what a message said, oldest first, its present content last.

    Each with a word-by-word difference to the one before. Of messages older than your
    joining you see what they said from then on; of your own you see everything.
    """
    message = access.readable_message(reader=request.auth.id, message_id=message_id)
    return version_page(
        history.version_page(
            message=message,
            reader=request.auth.id,
            cursor=parameters.cursor,
            limit=parameters.limit,
        )
    )


@operation(
    router,
    "POST",
    "/{message_id}/history/{version}/restore",
    "history_restore",
    {200: MessageOut},
    refusals=[404, 409],
    result=MESSAGE,
)
def restore_version(
    request: ApiRequest,
    message_id: MessageIdIn,
    version: VersionIn,
    response: HttpResponse,
) -> MessageOut:
    """Bring back what a message of yours said, as a new edit.

    Nothing changes when it says so already.
    """
    message = access.own_message(sender=request.auth.id, message_id=message_id)
    restored = history.restore_version(message=message, version=version)
    return described(restored, response)


@operation(
    router,
    "PUT",
    "/{message_id}/read",
    "messages_mark_read",
    {204: None},
    refusals=[404, 409],
)
def mark_read(request: ApiRequest, message_id: MessageIdIn) -> Status[None]:
    """Mark a message read.

    422 for your own messages, which are neither read nor unread to you.
    """
    message = access.received_message(reader=request.auth.id, message_id=message_id)
    notifications.mark_message_read(message=message, reader=request.auth.id)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{message_id}/read",
    "messages_mark_unread",
    {204: None},
    refusals=[404, 409],
)
def mark_unread(request: ApiRequest, message_id: MessageIdIn) -> Status[None]:
    """Bring a message back into your inbox.

    It returns to its old place there, if it had one. 422 for your own messages.
    """
    message = access.received_message(reader=request.auth.id, message_id=message_id)
    notifications.mark_message_unread(message=message, reader=request.auth.id)
    return Status(204, None)
