"""Conversations: creating, listing, showing and renaming them."""

from django.http import HttpResponse
from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.parsing import Written
from api.resources import CONVERSATION
from api.schemas.conversations import (
    ConversationIn,
    ConversationOut,
    ConversationPage,
    ConversationPatch,
    DirectIn,
    conversation_out,
    conversation_page,
)
from api.schemas.fields import ConversationIdIn, PageQuery
from messaging import access
from messaging.errors import (
    ConversationNotFoundError,
    DirectConversationError,
    GroupFullError,
    NotDeliverableError,
    NotOwnerError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.services import conversations, summaries, users
from messaging.services.conversations import OpenedConversation

router = Router(tags=["conversations"])


@operation(
    router,
    "POST",
    "",
    "conversations_start",
    {201: ConversationOut, 200: ConversationOut},
    errors=[UserNotFoundError, NotDeliverableError, GroupFullError],
    result=CONVERSATION,
)
def start_conversation(
    request: ApiRequest, body: ConversationIn, response: HttpResponse
) -> Status[ConversationOut]:
    """Start a conversation.

    Two people have one direct conversation: 200 with the existing one, 201 with a new
    one. A group is always new, and you are its owner.
    """
    opened = (
        _open_direct(request, body)
        if isinstance(body, DirectIn)
        else conversations.start_group(
            owner=request.auth.user, title=body.title, usernames=body.participants
        )
    )
    conversation_id = ConversationId(opened.conversation.pk)
    response["Location"] = f"/api/v1/conversations/{conversation_id}"
    return Status(201 if opened.created else 200, _summary(request, conversation_id))


@operation(router, "GET", "", "conversations_list", {200: ConversationPage})
def list_conversations(
    request: ApiRequest, parameters: Query[PageQuery]
) -> Written[ConversationPage]:
    """List your conversations, the most recently active first.

    Each has its last message and the number of messages you have not read.
    """
    return conversation_page(
        summaries.conversation_page(
            reader=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "GET",
    "/{conversation_id}",
    "conversations_get",
    {200: ConversationOut},
    errors=[ConversationNotFoundError],
)
def get_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> ConversationOut:
    """Show one of your conversations.

    It has the same fields as in the list.
    """
    return _summary(request, conversation_id)


@operation(
    router,
    "PATCH",
    "/{conversation_id}",
    "conversations_update",
    {200: ConversationOut},
    errors=[ConversationNotFoundError, NotOwnerError, DirectConversationError],
    result=CONVERSATION,
)
def update_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn, body: ConversationPatch
) -> ConversationOut:
    """Rename a group you own.

    403 if another person owns the group; 409 for a direct conversation, which has no
    title.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    conversations.rename_group(group=group, title=body.title)
    return _summary(request, conversation_id)


def _open_direct(request: ApiRequest, body: DirectIn) -> OpenedConversation:
    other = users.active_user(username=body.participant)
    return conversations.open_direct(
        one=request.auth.id, other=UserId(other.pk), field="participant"
    )


def _summary(request: ApiRequest, conversation_id: ConversationId) -> ConversationOut:
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    return conversation_out(summaries.conversation_summary(membership=membership))
