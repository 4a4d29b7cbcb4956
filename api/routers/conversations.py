"""Conversations, their participants and messages."""

from typing import Final

from django.http import HttpResponse
from ninja import Query, Router, Status
from ninja.decorators import decorate_view

from api.authentication import ApiRequest
from api.conversation_page import gate
from api.operations import operation
from api.parsing import Written
from api.resources import CONVERSATION, MESSAGE, described
from api.schemas.conversations import (
    ConversationIn,
    ConversationOut,
    ConversationPage,
    ConversationPatch,
    DirectIn,
    ParticipantIn,
    ParticipantPage,
    conversation_out,
    conversation_page,
    participant_page,
)
from api.schemas.fields import ConversationIdIn, PageQuery, Username
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
from messaging.ids import ConversationId, Sequence, UserId
from messaging.pages import Page
from messaging.services import (
    conversations,
    messages,
    notifications,
    participants,
    summaries,
    timelines,
    typists,
    users,
)
from messaging.services.conversations import OpenedConversation
from messaging.shown import ShownMessage

_AS_MEMBER: Final = ParticipantIn()

router = Router(tags=["conversations"])


@operation(
    router,
    "POST",
    "",
    "conversations_start",
    {201: ConversationOut, 200: ConversationOut},
    refusals=[404, 409],
    result=CONVERSATION,
)
def start_conversation(
    request: ApiRequest, body: ConversationIn, response: HttpResponse
) -> Status[ConversationOut]:
    """Start a conversation.

    Two people have one direct conversation: 200 with the one there is, 201 with a new one. A
    group is always new, and you are its owner.
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

    Each with its last message and how many you have not read.
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
    refusals=[404],
)
def get_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> ConversationOut:
    """Show one of your conversations.

    As in the list: with its last message and how many you have not read.
    """
    return _summary(request, conversation_id)


@operation(
    router,
    "PATCH",
    "/{conversation_id}",
    "conversations_update",
    {200: ConversationOut},
    refusals=[404, 409],
    result=CONVERSATION,
)
def update_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn, body: ConversationPatch
) -> ConversationOut:
    """Rename a group you own.

    403 when someone else owns it, 409 for a direct conversation, which has no title.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    conversations.rename_group(group=group, title=body.title)
    return _summary(request, conversation_id)


@operation(
    router,
    "GET",
    "/{conversation_id}/participants",
    "participants_list",
    {200: ParticipantPage},
    refusals=[404],
)
def list_participants(
    request: ApiRequest, conversation_id: ConversationIdIn, parameters: Query[PageQuery]
) -> ParticipantPage:
    """List who takes part, in the order they came.

    Each with their role: a group has one owner, a direct conversation two members.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    return participant_page(
        participants.participant_page(
            membership=part, cursor=parameters.cursor, limit=parameters.limit
        )
    )


@operation(
    router,
    "PUT",
    "/{conversation_id}/participants/{username}",
    "participants_put",
    {204: None},
    refusals=[404, 409],
)
def put_participant(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    username: Username,
    body: ParticipantIn = _AS_MEMBER,
) -> Status[None]:
    """Add someone to a group you own, or hand it over.

    Without a body, and with the role `member`, the person is let in; nothing happens if they
    are in. With the role `owner`, a participant becomes the owner and you become a member;
    409 if you would make yourself a member, since a group has an owner.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    participants.put_participant(group=group, username=username, role=body.role)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/participants/{username}",
    "participants_remove",
    {204: None},
    refusals=[404, 409],
)
def remove_participant(
    request: ApiRequest, conversation_id: ConversationIdIn, username: Username
) -> Status[None]:
    """Leave a group, or as its owner put someone out.

    A group that its owner leaves passes to its longest member; with the last one it is
    deleted.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    participants.remove_participant(membership=part, username=username)
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/mute",
    "conversations_mute",
    {204: None},
    refusals=[404],
)
def mute_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Mute a conversation.

    Your notifications of it are made all the same, but `silent`, mentions too.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    participants.set_muted(membership=part, muted=True)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/mute",
    "conversations_unmute",
    {204: None},
    refusals=[404],
)
def unmute_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Unmute a conversation.

    Notifications that were made silent stay so.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    participants.set_muted(membership=part, muted=False)
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/hidden",
    "conversations_hide",
    {204: None},
    refusals=[404],
)
def hide_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Hide a conversation until its next message.

    It is left out of your list; everything else stays as it is.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    participants.set_hidden(membership=part, hidden=True)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/hidden",
    "conversations_unhide",
    {204: None},
    refusals=[404],
)
def unhide_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Bring a hidden conversation back into your list.

    Its next message does that too.
    """
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    participants.set_hidden(membership=part, hidden=False)
    return Status(204, None)


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


def _open_direct(request: ApiRequest, body: DirectIn) -> OpenedConversation:
    other = users.active_user(username=body.participant)
    return conversations.open_direct(
        one=request.auth.id, other=UserId(other.pk), field="participant"
    )


def _summary(request: ApiRequest, conversation_id: ConversationId) -> ConversationOut:
    part = access.membership(reader=request.auth.id, conversation_id=conversation_id)
    return conversation_out(summaries.conversation_summary(membership=part))


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
