"""The messages of a conversation: listing, sending, marking read, typing indicators."""

from django.http import HttpResponse
from ninja import Query, Router, Status
from ninja.decorators import decorate_view

from api.authentication import ApiRequest
from api.conversation_page import participants_only
from api.operations import operation
from api.parsing import Written
from api.resources import MESSAGE, message_with_etag
from api.schemas.fields import ConversationIdIn
from api.schemas.messages import (
    MessageIn,
    MessageOut,
    MessagePage,
    ReadIn,
    TimelineQuery,
    message_page,
)
from edge.page_cache import cached
from messaging import access
from messaging.errors import (
    ConversationNotFoundError,
    DeletedMessageError,
    MessageNotFoundError,
    NotDeliverableError,
)
from messaging.ids import ConversationId
from messaging.pagination import Page
from messaging.projections import MessageProjection
from messaging.services import message_lists, messages, notifications, typing_indicators

router = Router(tags=["conversations"])


@operation(
    router,
    "GET",
    "/{conversation_id}/messages",
    "messages_list",
    {200: MessagePage, 304: None},
    errors=[ConversationNotFoundError, MessageNotFoundError],
)
@decorate_view(cached, participants_only)
def list_messages(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    parameters: Query[TimelineQuery],
) -> Written[MessagePage]:
    """List the messages of a conversation, newest first.

    With `around`, the page has that message in its middle; with `after_sequence`, it
    has the messages after it, oldest first. `next_cursor` continues in the same order.
    Send the `ETag` back as `If-None-Match`: 304 means that nothing on the page has
    changed. The answer is never stale.
    """
    return message_page(_message_list(conversation_id, parameters))


@operation(
    router,
    "POST",
    "/{conversation_id}/messages",
    "messages_send",
    {201: MessageOut},
    errors=[ConversationNotFoundError, NotDeliverableError, DeletedMessageError],
    result=MESSAGE,
)
def send_message(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    body: MessageIn,
    response: HttpResponse,
) -> Status[MessageOut]:
    """Send a message to everyone in a conversation.

    `parent_message_id` makes it a reply; 409 if that message was deleted.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    message = messages.send_message(
        membership=membership, content=body.content, parent_id=body.parent_message_id
    )
    response["Location"] = f"/api/v1/messages/{message.pk}"
    return Status(201, message_with_etag(message, response))


@operation(
    router,
    "PUT",
    "/{conversation_id}/read",
    "conversations_mark_read",
    {204: None},
    errors=[ConversationNotFoundError],
)
def mark_conversation_read(
    request: ApiRequest, conversation_id: ConversationIdIn, body: ReadIn
) -> Status[None]:
    """Mark messages of a conversation read: all up to a sequence, or ranges of sequences.

    Other messages stay as they are. Send `ranges` of the messages that were on the screen,
    without those that your user marked unread since they opened the conversation.
    `message.read` events name exactly the ranges that had unread messages.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    notifications.mark_ranges_read(membership=membership, ranges=body.seen())
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/typing",
    "conversations_typing",
    {204: None},
    errors=[ConversationNotFoundError],
)
def type_in_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Show the other participants that you are typing.

    The indicator lasts 6 seconds; while you type, send it again, at most every 3
    seconds.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    typing_indicators.note_typing(membership=membership)
    return Status(204, None)


def _message_list(
    conversation_id: ConversationId, parameters: TimelineQuery
) -> Page[MessageProjection]:
    if parameters.cursor is not None:
        return message_lists.messages_from(
            conversation_id=conversation_id,
            cursor=parameters.cursor,
            limit=parameters.limit,
        )
    if parameters.around is not None:
        return message_lists.messages_around(
            conversation_id=conversation_id,
            message_id=parameters.around,
            limit=parameters.limit,
        )
    if parameters.after_sequence is not None:
        return message_lists.messages_after(
            conversation_id=conversation_id,
            sequence=parameters.after_sequence,
            limit=parameters.limit,
        )
    return message_lists.newest_messages(
        conversation_id=conversation_id, limit=parameters.limit
    )
