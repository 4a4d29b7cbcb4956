"""The first run; sign-up, sign-in and sign-out; changing the password; deleting the account."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages as flashes
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from typing_extensions import override

from chats.decorators import PageRequest, signed_in
from chats.errors import set_error_status, set_refusal_status
from chats.forms import (
    DeletionForm,
    PasswordForm,
    RefusableForm,
    SetUpForm,
    SignInForm,
    SignUpForm,
)
from chats.password_attempts import counted_attempt
from edge.addresses import client_address
from edge.database_errors import database_is_away
from messaging.deletion_counts import DeletionCounts
from messaging.demo.links import claim_link, user_of_link
from messaging.errors import WrongPasswordError
from messaging.models import User
from messaging.services import passwords, setup, users
from messaging.services.deletion import delete_account, preview_deletion
from messaging.services.invite_codes import ShownInvitation
from messaging.services.limits import count_registration
from messaging.services.setup import is_empty
from messaging.services.users import Registration

_READING: Final = frozenset({"GET", "HEAD"})


class SignIn(LoginView):
    template_name = "chats/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    @override
    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        """With the link of a demo, whom it signs in: the user has to press a button.

        Reading uses nothing up, since previews and scanners read links too. A script
        presses the button, unless another site led here.
        """
        token = self.request.GET.get("demo")
        return super().get_context_data(**kwargs) | {
            "demo_token": token,
            "demo_user": None if token is None else user_of_link(token),
            "at_once": self.request.headers.get("Sec-Fetch-Site") != "cross-site",
        }

    @override
    def post(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponse:
        token = request.POST.get("demo")
        if token is None:
            return super().post(request, *args, **kwargs)
        user = claim_link(token)
        if user is None:
            # Which says that the link has been used.
            return redirect(f"{request.path}?{urlencode({'demo': token})}")
        login(request, user)
        return redirect("home")

    @override
    def dispatch(
        self, request: HttpRequest, *args: object, **kwargs: object
    ) -> HttpResponseBase:
        if _is_first_run(request):
            return redirect("set_up")
        return super().dispatch(request, *args, **kwargs)

    @override
    def get_success_url(self) -> str:
        """Where to go after sign-in; never this page, which would redirect forever."""
        after = super().get_success_url()
        here = urlsplit(after).path == self.request.path
        return self.get_default_redirect_url() if here else after

    @override
    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        if isinstance(form, SignInForm) and form.refusal is not None:
            set_error_status(response, form.refusal)
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account, and sign in."""
    if isinstance(request.user, User):
        return redirect("home")
    if _is_first_run(request):
        return redirect("set_up")
    form = SignUpForm(request.POST or None)
    if form.is_valid():
        registered = _registered(request, form)
        if registered is not None:
            login(request, registered.user)
            return _welcomed(request, registered)
    if form.is_bound:
        _show_faults(form)
    return _form_page(request, "chats/sign_up.html", form, sign_up_context(form, None))


def sign_up_context(
    form: SignUpForm, invitation: ShownInvitation | None
) -> dict[str, object]:
    return {
        "form": form,
        "registration": settings.PARLEY_REGISTRATION,
        "invitation": invitation,
    }


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """The first run: name the place, create its administrator, and sign them in."""
    if not is_empty():
        raise Http404
    form = SetUpForm(request.POST or None)
    if form.is_valid():
        user = _administrator(request, form)
        if user is not None:
            login(request, user)
            return redirect("welcome")
    if form.is_bound:
        _show_faults(form)
    return _form_page(request, "chats/set_up.html", form, {})


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this session; the next page says so, and deletes drafts in the browser."""
    logout(request)
    return redirect(f"{resolve_url('sign_in')}?ended=1")


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: PageRequest) -> HttpResponse:
    """Set a new password; this session stays, all other sessions and tokens end."""
    form = PasswordForm(request.POST or None)
    if form.is_valid() and _password_changed(request, form):
        # Changing the password ended all sessions: give this browser a new one.
        update_session_auth_hash(request, request.user)
        flashes.success(
            request, "Your password is changed. You are signed out everywhere else."
        )
        return redirect("settings")
    return _form_page(request, "chats/password.html", form, {})


@never_cache
@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def delete_user(request: PageRequest) -> HttpResponse:
    """Ask whether to delete the account; with the password, delete it."""
    form = DeletionForm(request.POST or None)
    if form.is_valid():
        # None if the form shows an error.
        counts = _deleted(request, form)
        if counts is not None:
            logout(request)
            return render(
                request,
                "chats/user_deleted.html",
                {"counts": counts, "database": connection.vendor},
            )
    return _form_page(
        request,
        "chats/delete_user.html",
        form,
        {
            "counts": preview_deletion(user=request.user),
            "database": connection.vendor,
        },
    )


def _is_first_run(request: HttpRequest) -> bool:
    """Whether whoever reads this page has to set the installation up instead."""
    if request.method not in _READING:
        return False
    try:
        return is_empty()
    except Error as error:
        # Without the database the page to sign in is shown as ever.
        if database_is_away(error):
            return False
        raise


def _form_page(
    request: HttpRequest,
    template: str,
    form: RefusableForm,
    context: Mapping[str, object],
) -> HttpResponse:
    response = render(request, template, {"form": form, **context})
    if isinstance(form.refusal, WrongPasswordError):
        return response
    return set_refusal_status(response, form)


def _registered(request: HttpRequest, form: SignUpForm) -> Registration | None:
    filled = form.cleaned_data
    with form.showing_refusal():
        count_registration(address=client_address(request))
        return users.register(
            username=filled["username"],
            password=filled["password"],
            display_name=filled["display_name"] or None,
            invite_code=filled.get("invite_code") or None,
        )
    return None


def _welcomed(request: HttpRequest, registered: Registration) -> HttpResponse:
    """The group that a newcomer was invited to, or else the start page."""
    if registered.group is not None:
        return redirect("conversation", registered.group)
    if registered.missed_group:
        flashes.info(
            request,
            "You have an account now. The group that you were invited to is full, or"
            " the link has ended.",
        )
    return redirect("home")


def _administrator(request: HttpRequest, form: SetUpForm) -> User | None:
    filled = form.cleaned_data
    with form.showing_refusal():
        count_registration(address=client_address(request))
        return setup.set_up(
            code=filled["code"],
            server_name=filled["server_name"],
            username=filled["username"],
            password=filled["password"],
            display_name=filled["display_name"] or None,
        )
    return None


def _show_faults(form: SignUpForm | SetUpForm) -> None:
    """Show all invalid fields: the service reports only the first."""
    faults = users.faults(
        username=form.data.get("username", ""),
        display_name=form.data.get("display_name", "").strip(),
        password=form.data.get("password", ""),
    )
    for fault in faults:
        if fault.field not in form.errors:
            form.show(fault)


def _password_changed(request: PageRequest, form: PasswordForm) -> bool:
    filled = form.cleaned_data
    with form.showing_refusal(), counted_attempt(request):
        passwords.change_password(
            user=request.user,
            current=filled["current"],
            new=filled["new_password"],
            keep_token=None,
        )
    return form.refusal is None


def _deleted(request: PageRequest, form: DeletionForm) -> DeletionCounts | None:
    with form.showing_refusal(), counted_attempt(request):
        return delete_account(user=request.user, password=form.cleaned_data["password"])
    return None
