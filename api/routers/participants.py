"""Participants of a conversation, and each participant's own settings for it."""

from typing import Final

from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.conversations import (
    ParticipantIn,
    ParticipantPage,
    ParticipantQuery,
    participant_page,
)
from api.schemas.fields import ConversationIdIn, Username
from messaging import access
from messaging.errors import (
    ConversationNotFoundError,
    DirectConversationError,
    GroupFullError,
    NotDeliverableError,
    NotOwnerError,
    OwnerRequiredError,
    ParticipantNotFoundError,
    UserNotFoundError,
)
from messaging.services import owners, participant_lists, participants

_AS_MEMBER: Final = ParticipantIn()

router = Router(tags=["conversations"])


@operation(
    router,
    "GET",
    "/{conversation_id}/participants",
    "participants_list",
    {200: ParticipantPage},
    errors=[ConversationNotFoundError],
)
def list_participants(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    parameters: Query[ParticipantQuery],
) -> ParticipantPage:
    """List the participants, or find some, in the order in which they joined.

    Each has a role: a group has at least one owner, a direct conversation two members.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    return participant_page(
        participant_lists.participant_page(
            membership=membership,
            cursor=parameters.cursor,
            limit=parameters.limit,
            matching=parameters.query,
        )
    )


@operation(
    router,
    "PUT",
    "/{conversation_id}/participants/{username}",
    "participants_put",
    {204: None},
    errors=[
        ConversationNotFoundError,
        ParticipantNotFoundError,
        UserNotFoundError,
        NotOwnerError,
        NotDeliverableError,
        DirectConversationError,
        OwnerRequiredError,
        GroupFullError,
    ],
)
def put_participant(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    username: Username,
    body: ParticipantIn = _AS_MEMBER,
) -> Status[None]:
    """Add a person to a group you own, or hand the group over.

    With the role `member`, or without a body, the person is added; if they are a
    participant already, nothing changes. With the role `owner`, a participant becomes
    an owner and you become a member. 409 if you give yourself the role `member`: a
    group needs an owner.
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
    errors=[
        ConversationNotFoundError,
        ParticipantNotFoundError,
        NotOwnerError,
        DirectConversationError,
    ],
)
def remove_participant(
    request: ApiRequest, conversation_id: ConversationIdIn, username: Username
) -> Status[None]:
    """Leave a group, or as an owner remove another participant.

    If the last owner goes, the longest-standing member becomes the owner; if nobody is
    left, the group is deleted.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    participants.remove_participant(membership=membership, username=username)
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/owners/{username}",
    "owners_add",
    {204: None},
    errors=[
        ConversationNotFoundError,
        ParticipantNotFoundError,
        NotOwnerError,
        DirectConversationError,
    ],
)
def add_owner(
    request: ApiRequest, conversation_id: ConversationIdIn, username: Username
) -> Status[None]:
    """Make a participant one more owner of a group you own.

    Owners may all do the same: also remove each other.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    owners.add_owner(group=group, username=username)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/owners/{username}",
    "owners_remove",
    {204: None},
    errors=[
        ConversationNotFoundError,
        ParticipantNotFoundError,
        NotOwnerError,
        DirectConversationError,
        OwnerRequiredError,
    ],
)
def remove_owner(
    request: ApiRequest, conversation_id: ConversationIdIn, username: Username
) -> Status[None]:
    """Make an owner of a group you own, perhaps yourself, a member again.

    409 if nobody else owns it.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    owners.remove_owner(group=group, username=username)
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/mute",
    "conversations_mute",
    {204: None},
    errors=[ConversationNotFoundError],
)
def mute_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Mute a conversation.

    New notifications of it are `silent`, those of mentions too.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    participants.set_muted(membership=membership, muted=True)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/mute",
    "conversations_unmute",
    {204: None},
    errors=[ConversationNotFoundError],
)
def unmute_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Unmute a conversation.

    Notifications that were made silent stay silent.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    participants.set_muted(membership=membership, muted=False)
    return Status(204, None)


@operation(
    router,
    "PUT",
    "/{conversation_id}/hidden",
    "conversations_hide",
    {204: None},
    errors=[ConversationNotFoundError],
)
def hide_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Hide a conversation until its next message.

    It is not in your list meanwhile; everything else stays as it is.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    participants.set_hidden(membership=membership, hidden=True)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/{conversation_id}/hidden",
    "conversations_unhide",
    {204: None},
    errors=[ConversationNotFoundError],
)
def unhide_conversation(
    request: ApiRequest, conversation_id: ConversationIdIn
) -> Status[None]:
    """Show a hidden conversation in your list again.

    The next message in it does the same.
    """
    membership = access.membership(
        reader=request.auth.id, conversation_id=conversation_id
    )
    participants.set_hidden(membership=membership, hidden=False)
    return Status(204, None)
