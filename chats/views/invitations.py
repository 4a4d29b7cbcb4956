"""Invitation links: making, listing and revoking them, and what whoever opens one sees.

A link is a secret. It is shown in the response to the request that makes it, and
nowhere else.
"""

from contextlib import AbstractContextManager
from typing import Final

from django.conf import settings
from django.contrib import messages as flashes
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from chats.decorators import (
    PageRequest,
    in_place,
    path_kept_from_referrers,
    reader_of,
    signed_in,
)
from chats.errors import error_response, set_error_status, set_refusal_status
from chats.forms import InvitationForm, SignUpForm
from chats.views.accounts import sign_up_context
from chats.views.administration import for_staff, shown
from edge.addresses import client_address
from messaging import access
from messaging.access import Inviter, Ownership
from messaging.errors import InvalidInviteError, RateLimitedError, RightsRequiredError
from messaging.ids import ConversationId, InvitationId, UserId
from messaging.models import InviteCode, User
from messaging.pagination import Page
from messaging.services import invite_codes, invites
from messaging.services.invites import IssuedInvitation
from messaging.services.joining import join_group
from messaging.services.limits import counted_guess

_PAGE: Final = 50


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def server_invitations(request: PageRequest) -> HttpResponse:
    """The invitations to the server. The link of a new one is in this response only."""
    maker = _inviter(request)
    form = _posted(request)
    issued = None
    if form.is_valid():
        with form.showing_refusal():
            issued = invites.create_server_invitation(
                maker=maker, uses=form.cleaned_data["uses"], expires_in=form.lifetime()
            )
    page = invites.server_invitation_page(
        reader=maker, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    context = {
        "lead": "Whoever opens a link can open an account here with it.",
        "here": resolve_url("server_invitations"),
        "inviters": invites.inviters_among(page.items),
        **_listed(request, form, issued, page),
    }
    response = shown(request, "administered_invitations", context)
    return set_refusal_status(response, form)


@for_staff
@require_POST
def revoke_server_invitation(request: PageRequest, invitation_id: int) -> HttpResponse:
    invites.revoke_server_invitation(
        by=_inviter(request), invitation_id=InvitationId(invitation_id)
    )
    return _revoked(request, resolve_url("server_invitations"))


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def group_invitations(request: PageRequest, conversation_id: int) -> HttpResponse:
    """The invitations to a group. The link of a new one is in this response only."""
    group = _owned(request, conversation_id)
    form = _posted(request)
    issued = None
    if form.is_valid():
        with form.showing_refusal():
            issued = invites.create_group_invitation(
                group=group, uses=form.cleaned_data["uses"], expires_in=form.lifetime()
            )
    page = invites.group_invitation_page(
        group=group, cursor=request.GET.get("cursor"), limit=_PAGE
    )
    context = {
        "group": group.conversation,
        "lead": "Whoever opens a link can join the group, and see all of its messages.",
        "here": resolve_url("group_invitations", conversation_id),
        **_listed(request, form, issued, page),
    }
    response = render(request, "chats/group_invitations.html", context)
    return set_refusal_status(response, form)


@signed_in
@require_POST
def revoke_group_invitation(
    request: PageRequest, conversation_id: int, invitation_id: int
) -> HttpResponse:
    invites.revoke_group_invitation(
        group=_owned(request, conversation_id),
        invitation_id=InvitationId(invitation_id),
    )
    return _revoked(request, resolve_url("group_invitations", conversation_id))


@path_kept_from_referrers
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, code: str) -> HttpResponseBase:
    """Where a link leads. GET shows what it invites to; POST joins the group."""
    if isinstance(request.user, User):
        return (_joined if request.method == "POST" else _asked)(request, code)
    if request.method == "POST":
        # The session has ended: ask again.
        return redirect("join", code)
    try:
        return _newcomer_page(request, code)
    except RateLimitedError as error:
        return error_response(request, error, in_place=False)


@signed_in
def _asked(request: PageRequest, code: str) -> HttpResponse:
    try:
        with _guess(request, reader_of(request)):
            found = invite_codes.invitation_shown(code=code, reader=request.user)
    except InvalidInviteError as error:
        return _invalid(request, error)
    if found.joined:
        return redirect("conversation", found.conversation_id)
    return render(request, "chats/join.html", {"invitation": found})


@signed_in
def _joined(request: PageRequest, code: str) -> HttpResponse:
    try:
        with _guess(request, reader_of(request)):
            joined = join_group(user=request.user, code=code)
    except InvalidInviteError as error:
        return _invalid(request, error)
    if joined.new:
        flashes.success(request, "You joined the group.")
    return redirect("conversation", joined.conversation_id)


def _newcomer_page(request: HttpRequest, code: str) -> HttpResponse:
    try:
        with _guess(request, None):
            found = invite_codes.invitation_shown(code=code, reader=None)
    except InvalidInviteError as error:
        return _invalid(request, error)
    # Where anybody may open an account, the code only says which group to join.
    needed = found.title is not None or settings.PARLEY_REGISTRATION == "invite"
    form = SignUpForm(invite_code=code if needed else None)
    return render(request, "chats/sign_up.html", sign_up_context(form, found))


def _invalid(request: HttpRequest, error: InvalidInviteError) -> HttpResponse:
    """One page for every code that cannot be used, whatever the reason."""
    return set_error_status(render(request, "chats/join_invalid.html"), error)


def _guess(request: HttpRequest, of: UserId | None) -> AbstractContextManager[None]:
    return counted_guess(of=of, address=client_address(request))


def _inviter(request: PageRequest) -> Inviter:
    maker = access.inviter(request.user)
    if maker is None:
        raise RightsRequiredError("You may not invite people to the server.")
    return maker


def _owned(request: PageRequest, conversation_id: int) -> Ownership:
    return access.ownership(
        owner=reader_of(request), conversation_id=ConversationId(conversation_id)
    )


def _posted(request: PageRequest) -> InvitationForm:
    return InvitationForm(request.POST if request.method == "POST" else None)


def _listed(
    request: PageRequest,
    form: InvitationForm,
    issued: IssuedInvitation | None,
    page: Page[InviteCode],
) -> dict[str, object]:
    path = None if issued is None else resolve_url("join", issued.code)
    return {
        "link": path and request.build_absolute_uri(path),
        # After a success, show an empty form for the next link.
        "form": InvitationForm() if issued else form,
        "page": page,
        "now": timezone.now(),
    }


def _revoked(request: PageRequest, here: str) -> HttpResponse:
    flashes.success(request, "The link is revoked.")
    if in_place(request):
        return render(request, "chats/flashes.html")
    return redirect(here)
