"""Signing up, in and out; the password; the end of an account."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages as flashes
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from typing_extensions import override

from chats.addresses import client_address
from chats.forms import (
    DeletionForm,
    PasswordForm,
    RefusableForm,
    SignInForm,
    SignUpForm,
)
from chats.gates import PageRequest, signed_in
from chats.refusals import add_refusal, mark_refused
from messaging.errors import (
    DomainError,
    LimitsUnavailableError,
    RateLimitedError,
    WrongPasswordError,
)
from messaging.models import User
from messaging.receipts import DeletionCounts
from messaging.services import passwords, users
from messaging.services.deletion import delete_account, preview_deletion
from messaging.services.limits import count_registration, counted_guess


class SignIn(LoginView):
    template_name = "chats/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @override
    def get_success_url(self) -> str:
        """Where to go on; not back to here, which would never end."""
        after = super().get_success_url()
        here = urlsplit(after).path == self.request.path
        return self.get_default_redirect_url() if here else after

    @override
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.refusal is not None:
            mark_refused(response, form.refusal)
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Open an account, and be signed in."""
    if isinstance(request.user, User):
        return redirect("home")
    form = SignUpForm(request.POST or None)
    if form.is_valid():
        user = _registered(request, form)
        if user is not None:
            login(request, user)
            return redirect("home")
    registration = {"registration": settings.PARLEY_REGISTRATION}
    return _shown(request, "chats/sign_up.html", form, registration)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: PageRequest) -> HttpResponse:
    """Set a new password; this session stays, all others end."""
    form = PasswordForm(request.POST or None)
    if form.is_valid() and _password_changed(request, form):
        update_session_auth_hash(request, request.user)
        flashes.success(
            request, "Your password is changed. You are signed out everywhere else."
        )
        return redirect("settings")
    return _shown(request, "chats/password.html", form, {})


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_user(request: PageRequest) -> HttpResponse:
    """Ask whether to delete one's account, and with the password do it."""
    form = DeletionForm(request.POST or None)
    if form.is_valid():
        receipt = _deleted(request, form)
        if receipt is not None:
            logout(request)
            return render(request, "chats/user_deleted.html", {"receipt": receipt})
    preview = preview_deletion(user=request.user)
    return _shown(request, "chats/delete_user.html", form, {"preview": preview})


def _shown(
    request: HttpRequest,
    template: str,
    form: RefusableForm,
    context: Mapping[str, object],
) -> HttpResponse:
    response = render(request, template, {"form": form, **context})
    if form.refusal is not None and not isinstance(form.refusal, WrongPasswordError):
        mark_refused(response, form.refusal)
    return response


def _registered(request: HttpRequest, form: SignUpForm) -> User | None:
    filled = form.cleaned_data
    try:
        count_registration(address=client_address(request))
        return users.register(
            username=filled["username"],
            password=filled["password"],
            display_name=filled["display_name"] or None,
            invite_code=filled.get("invite_code") or None,
        )
    except DomainError as error:
        form.refusal = error
        add_refusal(form, error)
        return None


def _password_changed(request: PageRequest, form: PasswordForm) -> bool:
    filled = form.cleaned_data
    try:
        with counted_guess(
            username=request.user.username, address=client_address(request)
        ):
            passwords.change_password(
                user=request.user,
                current=filled["current"],
                new=filled["new_password"],
                keep_token=None,
            )
    except WrongPasswordError as error:
        form.add_error("current", str(error))
        return False
    except DomainError as error:
        form.refusal = error
        add_refusal(form, error)
        return False
    return True


def _deleted(request: PageRequest, form: DeletionForm) -> DeletionCounts | None:
    try:
        with counted_guess(
            username=request.user.username, address=client_address(request)
        ):
            return delete_account(
                user=request.user, password=form.cleaned_data["password"]
            )
    except (WrongPasswordError, RateLimitedError, LimitsUnavailableError) as error:
        form.refusal = error
        form.add_error("password", str(error))
        return None
