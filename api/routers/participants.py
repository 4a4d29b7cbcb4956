"""Who takes part in a conversation, and how it is kept in one's own list."""

from typing import Final

from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.conversations import ParticipantIn, ParticipantPage, participant_page
from api.schemas.fields import ConversationIdIn, PageQuery, Username
from messaging import access
from messaging.services import participants

_AS_MEMBER: Final = ParticipantIn()

router = Router(tags=["conversations"])


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
