"""Invitations: making, listing and revoking those of a group; looking at one, joining."""

from django.http import HttpResponse
from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.operations import operation
from api.schemas.conversations import ConversationOut, conversation_out
from api.schemas.fields import ConversationIdIn, InvitationIdIn, InviteCodeIn, PageQuery
from api.schemas.invitations import (
    InvitationIn,
    InvitationPage,
    InvitedOut,
    IssuedInvitationOut,
    invitation_out,
    invited_out,
)
from edge.addresses import client_address
from messaging import access
from messaging.errors import (
    ConversationNotFoundError,
    DirectConversationError,
    GroupFullError,
    InvalidInviteError,
    InvitationNotFoundError,
    NotOwnerError,
    TooManyInvitationsError,
)
from messaging.services import invite_codes, invites, summaries
from messaging.services.joining import join_group
from messaging.services.limits import counted_guess

of_groups = Router(tags=["invitations"])
router = Router(tags=["invitations"])


@operation(
    of_groups,
    "POST",
    "/{conversation_id}/invitations",
    "invitations_create",
    {201: IssuedInvitationOut},
    errors=[
        ConversationNotFoundError,
        DirectConversationError,
        NotOwnerError,
        TooManyInvitationsError,
    ],
    secret=True,
)
def create_invitation(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    body: InvitationIn,
    response: HttpResponse,
) -> Status[IssuedInvitationOut]:
    """Make an invitation to a group you own.

    It ends when it expires, is used up or revoked, and when you own the group no more.
    Its code opens accounts too, where these take an invitation, if you may invite
    people to the server. 409 if the group has 50 that can be used.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    issued = invites.create_group_invitation(
        group=group, uses=body.max_uses, expires_in=body.lifetime
    )
    response["Location"] = f"/api/v1/conversations/{conversation_id}/invitations"
    shown = invitation_out(issued.invitation)
    url = request.build_absolute_uri(f"/join/{issued.code}")
    return Status(
        201, IssuedInvitationOut(**shown.model_dump(), invite_code=issued.code, url=url)
    )


@operation(
    of_groups,
    "GET",
    "/{conversation_id}/invitations",
    "invitations_list",
    {200: InvitationPage},
    errors=[ConversationNotFoundError, DirectConversationError, NotOwnerError],
)
def list_invitations(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    parameters: Query[PageQuery],
) -> InvitationPage:
    """List the invitations to a group you own, newest first.

    Those of its other owners too, and for a while those that have ended.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    page = invites.group_invitation_page(
        group=group, cursor=parameters.cursor, limit=parameters.limit
    )
    return InvitationPage(
        items=[invitation_out(row) for row in page.items],
        next_cursor=page.next_cursor,
    )


@operation(
    of_groups,
    "DELETE",
    "/{conversation_id}/invitations/{invitation_id}",
    "invitations_revoke",
    {204: None},
    errors=[
        ConversationNotFoundError,
        DirectConversationError,
        NotOwnerError,
        InvitationNotFoundError,
    ],
)
def revoke_invitation(
    request: ApiRequest,
    conversation_id: ConversationIdIn,
    invitation_id: InvitationIdIn,
) -> Status[None]:
    """Revoke an invitation to a group you own.

    Nobody can use its code from then on. Who joined by it stays.
    """
    group = access.ownership(owner=request.auth.id, conversation_id=conversation_id)
    invites.revoke_group_invitation(group=group, invitation_id=invitation_id)
    return Status(204, None)


@operation(
    router,
    "GET",
    "/{code}",
    "invitations_get",
    {200: InvitedOut},
    errors=[InvalidInviteError],
    public=True,
)
def get_invitation(request: ApiRequest, code: InviteCodeIn) -> InvitedOut:
    """Look at an invitation, without joining.

    A code that is unknown, expired, used up or revoked gets one answer. 429 after too
    many of these.
    """
    with counted_guess(of=None, address=client_address(request)):
        return invited_out(invite_codes.invitation_shown(code=code, reader=None))


@operation(
    router,
    "PUT",
    "/{code}/accepted",
    "invitations_accept",
    {200: ConversationOut},
    errors=[InvalidInviteError, GroupFullError, ConversationNotFoundError],
)
def accept_invitation(request: ApiRequest, code: InviteCodeIn) -> ConversationOut:
    """Join a group by an invitation.

    Idempotent: who takes part already uses up nothing. 403 `invalid_invite` for a code
    that cannot be used, or not by you: whom an owner removed comes back only when an
    owner adds them.
    """
    with counted_guess(of=request.auth.id, address=client_address(request)):
        joined = join_group(user=request.auth.user, code=code)
    membership = access.membership(
        reader=request.auth.id, conversation_id=joined.conversation_id
    )
    return conversation_out(summaries.conversation_summary(membership=membership))
