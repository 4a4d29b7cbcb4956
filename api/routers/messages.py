"""Single messages: sending, reading, editing, deleting and marking them; reply trees."""

from django.http import HttpResponse
from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.preconditions import IfMatch, versions_of
from api.resources import MESSAGE, message_with_etag
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
from messaging.errors import (
    DeletedMessageError,
    MessageNotFoundError,
    NotDeliverableError,
    NotSenderError,
    StaleVersionError,
    UserNotFoundError,
    VersionNotFoundError,
)
from messaging.services import (
    history,
    messages,
    notifications,
    receipts,
    threads,
    users,
)

router = Router(tags=["messages"])


@operation(
    router,
    "POST",
    "",
    "messages_send_direct",
    {201: MessageOut},
    errors=[UserNotFoundError, NotDeliverableError, DeletedMessageError],
    result=MESSAGE,
)
def send_direct_message(
    request: ApiRequest, body: DirectMessageIn, response: HttpResponse
) -> Status[MessageOut]:
    """Send a message to one person.

    The first message creates your direct conversation.
    """
    message = messages.send_direct_message(
        sender=request.auth.user,
        receiver=users.active_user(username=body.receiver),
        content=body.content,
        parent_id=body.parent_message_id,
    )
    response["Location"] = f"/api/v1/messages/{message.pk}"
    return Status(201, message_with_etag(message, response))


@operation(
    router,
    "GET",
    "/{message_id}",
    "messages_get",
    {200: MessageOut},
    errors=[MessageNotFoundError],
)
def get_message(
    request: ApiRequest, message_id: MessageIdIn, response: HttpResponse
) -> MessageOut:
    """Show a message.

    A deleted message with replies is shown as a tombstone: `deleted`, without content
    and sender.
    """
    message = access.readable_message(reader=request.auth.id, message_id=message_id)
    return message_with_etag(message.projection(), response)


@operation(
    router,
    "PATCH",
    "/{message_id}",
    "messages_edit",
    {200: MessageOut},
    errors=[
        MessageNotFoundError,
        NotSenderError,
        NotDeliverableError,
        DeletedMessageError,
        StaleVersionError,
    ],
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

    The earlier content stays in the message's history. Nobody is notified. With
    `If-Match`, 412 and the current ETag if the message was changed since.
    """
    message = access.own_message(sender=request.auth.id, message_id=message_id)
    edited = messages.edit_message(
        message=message,
        content=body.content,
        versions=versions_of(message_id, if_match),
    )
    return message_with_etag(edited.projection(), response)


@operation(
    router,
    "DELETE",
    "/{message_id}",
    "messages_delete",
    {204: None},
    errors=[
        MessageNotFoundError,
        NotSenderError,
        DeletedMessageError,
        StaleVersionError,
    ],
)
def delete_message(
    request: ApiRequest, message_id: MessageIdIn, if_match: IfMatch = None
) -> Status[None]:
    """Delete a message you sent, with its history.

    If it has replies, an empty tombstone stays in its place. With `If-Match`, 412 and
    the current ETag if the message was changed since.
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
    errors=[MessageNotFoundError],
)
def get_thread(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[ThreadQuery]
) -> Written[ThreadOut]:
    """Read a message and its replies as a nested tree.

    The tree is filled level by level, oldest first. `has_more_replies` says that
    replies were left out: ask for the thread of that message, or for its replies page
    by page.
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
    errors=[MessageNotFoundError],
)
def list_replies(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> Written[ReplyPage]:
    """List all replies below a message, of any depth, page by page.

    A message comes before its replies, and older siblings before newer ones.
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
    errors=[MessageNotFoundError],
)
def list_receipts(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> ReceiptPage:
    """List the people who were notified of a message, and whether each has read it.

    They are in the order in which they opened their accounts. The sender is not
    notified, and neither are participants who joined later.
    """
    message = access.readable_message(reader=request.auth.id, message_id=message_id)
    return receipt_page(
        receipts.receipt_page(
            message=message, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "GET",
    "/{message_id}/history",
    "history_list",
    {200: VersionPage},
    errors=[MessageNotFoundError],
)
def list_versions(
    request: ApiRequest, message_id: MessageIdIn, parameters: Query[PageQuery]
) -> Written[VersionPage]:
    """List the versions of a message, oldest first, the present content last.

    Each has a word-by-word difference to the version before. Versions that were
    replaced before you joined are left out, unless you sent the message.
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
    errors=[
        MessageNotFoundError,
        VersionNotFoundError,
        NotSenderError,
        NotDeliverableError,
        DeletedMessageError,
    ],
    result=MESSAGE,
)
def restore_version(
    request: ApiRequest,
    message_id: MessageIdIn,
    version: VersionIn,
    response: HttpResponse,
) -> MessageOut:
    """Make an earlier version the content of your message again, as a new edit.

    If it already is the content, nothing changes.
    """
    message = access.own_message(sender=request.auth.id, message_id=message_id)
    restored = history.restore_version(message=message, version=version)
    return message_with_etag(restored.projection(), response)


@operation(
    router,
    "PUT",
    "/{message_id}/read",
    "messages_mark_read",
    {204: None},
    errors=[MessageNotFoundError, DeletedMessageError],
)
def mark_read(request: ApiRequest, message_id: MessageIdIn) -> Status[None]:
    """Mark a message read.

    422 for your own messages, which are neither read nor unread.
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
    errors=[MessageNotFoundError, DeletedMessageError],
)
def mark_unread(request: ApiRequest, message_id: MessageIdIn) -> Status[None]:
    """Mark a message unread.

    It returns to its former position in your inbox, if it had one. 422 for your own
    messages.
    """
    message = access.received_message(reader=request.auth.id, message_id=message_id)
    notifications.mark_message_unread(message=message, reader=request.auth.id)
    return Status(204, None)
