"""Oneself: the profile, access tokens, browsers."""

from typing import Final

from django.contrib import messages as flashes
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from chats.addresses import client_address
from chats.forms import ProfileForm, TokenForm
from chats.gates import PageRequest, in_place, reader_of, signed_in
from chats.refusals import add_refusal, mark_refused
from messaging.errors import DomainError, WrongPasswordError
from messaging.ids import TokenId
from messaging.services import passwords, sessions, tokens, users
from messaging.services.limits import counted_guess
from messaging.services.tokens import IssuedToken

_PAGE: Final = 50


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """All that can be set, and the name, which is set right here."""
    posted = request.POST if request.method == "POST" else None
    form = ProfileForm(posted, initial={"display_name": request.user.display_name})
    if form.is_valid() and _renamed(request, form):
        flashes.success(request, "Your name is changed.")
        return redirect("settings")
    response = render(request, "chats/settings.html", {"form": form})
    return response if form.refusal is None else mark_refused(response, form.refusal)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: PageRequest) -> HttpResponse:
    """One's access tokens; a new one is shown in the answer, and never again."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    issued = _issued(request, form) if form.is_valid() else None
    page = tokens.token_page(
        owner=reader_of(request), cursor=request.GET.get("cursor"), limit=_PAGE
    )
    shown = TokenForm() if issued else form
    context = {"page": page, "form": shown, "issued": issued, "now": timezone.now()}
    response = render(request, "chats/tokens.html", context)
    return response if form.refusal is None else mark_refused(response, form.refusal)


@signed_in
@require_POST
def revoke_token(request: PageRequest, token_id: int) -> HttpResponse:
    tokens.revoke_token(owner=reader_of(request), token_id=TokenId(token_id))
    flashes.success(request, "The token is revoked.")
    return _gone(request, "tokens")


@signed_in
@require_safe
def session_list(request: PageRequest) -> HttpResponse:
    listed = sessions.browser_sessions(
        person=reader_of(request), current=request.session.session_key
    )
    return render(request, "chats/sessions.html", {"sessions": listed})


@signed_in
@require_POST
def end_session(request: PageRequest, reference: str) -> HttpResponse:
    sessions.end_session(person=reader_of(request), reference=reference)
    flashes.success(request, "That browser is signed out.")
    return _gone(request, "sessions")


@signed_in
@require_POST
def end_other_sessions(request: PageRequest) -> HttpResponse:
    sessions.end_other_sessions(
        person=reader_of(request), current=request.session.session_key
    )
    flashes.success(request, "You are signed out in all other browsers.")
    return redirect("sessions")


def _gone(request: PageRequest, url_name: str) -> HttpResponse:
    if in_place(request):
        return render(request, "chats/told.html", {"in_place": True})
    return redirect(url_name)


def _renamed(request: PageRequest, form: ProfileForm) -> bool:
    try:
        users.change_display_name(
            user=request.user, display_name=form.cleaned_data["display_name"]
        )
    except DomainError as error:
        form.refusal = error
        add_refusal(form, error)
        return False
    return True


def _issued(request: PageRequest, form: TokenForm) -> IssuedToken | None:
    filled = form.cleaned_data
    user = request.user
    try:
        with counted_guess(username=user.username, address=client_address(request)):
            passwords.confirm_password(user=user, password=filled["password"])
            return tokens.issue_after_guess(
                user=user, name=filled["name"], expires_in=form.lifetime()
            )
    except WrongPasswordError as error:
        form.refusal = error
        form.add_error("password", str(error))
    except DomainError as error:
        form.refusal = error
        add_refusal(form, error)
    return None
