"""A conversation's messages: reading them, sending one, what was read, who is typing."""

from django.http import HttpResponse
from ninja import Query, Router, Status
from ninja.decorators import decorate_view

from api.authentication import ApiRequest
from api.conversation_page import gate
from api.operations import operation
from api.parsing import Written
from api.resources import MESSAGE, described
from api.schemas.fields import ConversationIdIn
from api.schemas.messages import (
    MessageIn,
    MessageOut,
    MessagePage,
    ReadIn,
    TimelineQuery,
    message_page,
)
from chats.cache import CACHED
from messaging import access
from messaging.ids import ConversationId, Sequence
from messaging.pages import Page
from messaging.services import messages, notifications, timelines, typists
from messaging.shown import ShownMessage

router = Router(tags=["conversations"])


@operation(
    router,
    "GET",
    "/{conversation_id}/messages",
    "messages_list",
    {200: MessagePage, 304: None},
    refusals=[404],
)
@decorate_view(*CACHED, gate)
def list_messages(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    parameters: Query[TimelineQuery],
) -> Written[MessagePage]:
    """Read a conversation, newest first.

    `around` opens it at a message; `after_sequence` catches up, oldest first; `next_cursor`
    goes on in the same order. Send the `ETag` back as `If-None-Match`: 304 means that
    nothing on the page has changed. The answer is never stale.
    """
    return message_page(_timeline(conversation_id, parameters))


@operation(
    router,
    "POST",
    "/{conversation_id}/messages",
    "messages_send",
    {201: MessageOut},
    refusals=[404, 409],
    result=MESSAGE,
)
def send_message(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    body: MessageIn,
    response: HttpResponse,
) -> Status[MessageOut]:
    """Send a message to everyone in a conversation.

    `parent_message_id` makes it a reply; 409 when that message was deleted.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    message = messages.send_message(
        membership=part, content=body.content, parent_id=body.parent_message_id
    )
    response["Location"] = f"/api/v1/messages/{message.pk}"
    return Status(201, described(message, response))


@operation(
    router,
    "PUT",
    "/{conversation_id}/read",
    "conversations_mark_read",
    {204: None},
    refusals=[404],
)
def mark_conversation_read(
    request: ApiRequest, conversation_id: ConversationIdIn, body: ReadIn
) -> Status[None]:
    """Mark a conversation read, up to and with a sequence.

    What came after the newest message you have seen stays unread.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    notifications.mark_conversation_read(
        membership=part, up_to=Sequence(body.up_to_sequence)
    )
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/typing",
    "conversations_typing",
    {204: None},
    refusals=[404],
)
def type_in_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Show the others that you are writing.

    For 6 seconds; send it again, at most every 3 seconds, while you go on.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    typists.note_typing(membership=part)
    return Status(204, None)


def _timeline(
    conversation_id: ConversationId, parameters: TimelineQuery
) -> Page[ShownMessage]:
    if parameters.cursor is not None:
        return timelines.messages_from(
            conversation_id=conversation_id,
            cursor=parameters.cursor,
            limit=parameters.limit,
        )
    if parameters.around is not None:
        return timelines.messages_around(
            conversation_id=conversation_id,
            message_id=parameters.around,
            limit=parameters.limit,
        )
    if parameters.after_sequence is not None:
        return timelines.messages_after(
            conversation_id=conversation_id,
            sequence=parameters.after_sequence,
            limit=parameters.limit,
        )
    return timelines.newest_messages(
        conversation_id=conversation_id, limit=parameters.limit
    )
