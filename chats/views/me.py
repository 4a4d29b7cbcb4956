"""The user's settings: profile, access tokens, browser sessions."""

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

from chats.decorators import PageRequest, in_place, reader_of, signed_in
from chats.errors import set_refusal_status
from chats.forms import ProfileForm, TokenForm
from chats.password_attempts import counted_attempt
from messaging.ids import TokenId
from messaging.models.users import SendKey, WhoMayAdd
from messaging.services import passwords, presence, sessions, tokens, users
from messaging.services.tokens import IssuedToken

_PAGE: Final = 50


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: PageRequest) -> HttpResponse:
    """The settings page, with the form for the name and privacy."""
    posted = request.POST if request.method == "POST" else None
    user = request.user
    kept: dict[str, object] = {
        "display_name": user.display_name,
        "who_may_add": user.who_may_add,
        "shows_presence": user.shows_presence,
        "send_key": user.send_key,
    }
    form = ProfileForm(posted, initial=kept)
    if form.is_valid() and _changed(request, form):
        renamed = user.display_name != kept["display_name"]
        text = "Your name is changed." if renamed else "Your settings are saved."
        flashes.success(request, text)
        return redirect("settings")
    response = render(request, "chats/settings.html", {"form": form})
    return set_refusal_status(response, form)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: PageRequest) -> HttpResponse:
    """The user's access tokens. The secret of a new one is shown in this response only."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    issued = _issued(request, form) if form.is_valid() else None
    page = tokens.token_page(
        owner=reader_of(request), cursor=request.GET.get("cursor"), limit=_PAGE
    )
    # After a success, show an empty form for the next token.
    shown = TokenForm() if issued else form
    context = {"page": page, "form": shown, "issued": issued, "now": timezone.now()}
    response = render(request, "chats/tokens.html", context)
    return set_refusal_status(response, form)


@signed_in
@require_POST
def revoke_token(request: PageRequest, token_id: int) -> HttpResponse:
    tokens.revoke_token(owner=reader_of(request), token_id=TokenId(token_id))
    flashes.success(request, "The token is revoked.")
    return _ended(request, "tokens")


@signed_in
@require_safe
def session_list(request: PageRequest) -> HttpResponse:
    listed = sessions.browser_sessions(
        user_id=reader_of(request), current=request.session.session_key
    )
    return render(request, "chats/sessions.html", {"sessions": listed})


@signed_in
@require_POST
def end_session(request: PageRequest, reference: str) -> HttpResponse:
    sessions.end_session(user_id=reader_of(request), reference=reference)
    flashes.success(request, "That browser is signed out.")
    return _ended(request, "sessions")


@signed_in
@require_POST
def end_other_sessions(request: PageRequest) -> HttpResponse:
    sessions.end_other_sessions(
        user_id=reader_of(request), current=request.session.session_key
    )
    flashes.success(request, "You are signed out in all other browsers.")
    return redirect("sessions")


def _ended(request: PageRequest, url_name: str) -> HttpResponse:
    if in_place(request):
        return render(request, "chats/flashes.html")
    return redirect(url_name)


def _changed(request: PageRequest, form: ProfileForm) -> bool:
    filled, user = form.cleaned_data, request.user
    with form.showing_refusal():
        users.change_display_name(user=user, display_name=filled["display_name"])
        if filled["who_may_add"]:
            users.set_who_may_add(
                user=user, who_may_add=WhoMayAdd(filled["who_may_add"])
            )
        if filled["shows_presence"] is not None:
            presence.set_shows_presence(
                user=user, shows_presence=filled["shows_presence"]
            )
        if filled["send_key"]:
            users.set_send_key(user=user, send_key=SendKey(filled["send_key"]))
    return form.refusal is None


def _issued(request: PageRequest, form: TokenForm) -> IssuedToken | None:
    filled = form.cleaned_data
    with form.showing_refusal(), counted_attempt(request):
        passwords.confirm_password(user=request.user, password=filled["password"])
        return tokens.issue_after_password(
            user=request.user, name=filled["name"], expires_in=form.lifetime()
        )
    return None
