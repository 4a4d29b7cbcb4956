"""The administration, for staff: people, numbers, settings, the name of this place.

Who is no member of staff is answered as if there were no such pages.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from django.conf import settings
from django.contrib import messages as flashes
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from chats.decorators import PageRequest, signed_in
from chats.errors import set_refusal_status
from chats.forms import (
    OthersDeletionForm,
    OthersPasswordForm,
    RefusableForm,
    ServerNameForm,
)
from chats.navigation import administration_page_of, administration_pages, is_staff
from chats.password_attempts import counted_attempt
from messaging import access
from messaging.access import AdministeredAccount
from messaging.deletion_counts import DeletionCounts, described
from messaging.errors import WrongPasswordError
from messaging.models import User
from messaging.services import administration, installation, passwords
from messaging.services.deletion import delete_account_of, preview_deletion
from messaging.services.numbers import numbers
from messaging.services.settings_in_force import settings_in_force

P = ParamSpec("P")

_PAGE: Final = 50


def for_staff(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Like `signed_in`; nobody else learns that there are such pages."""

    @signed_in
    @wraps(view)
    def wrapped(
        request: PageRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not is_staff(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return wrapped


def shown(
    request: PageRequest, template: str, context: dict[str, object]
) -> HttpResponse:
    """Render a page of the administration, with the pages at its head."""
    around = {
        "administration_pages": administration_pages(request.user),
        "administration_page": administration_page_of(request.path),
    }
    return render(request, f"chats/{template}.html", {**around, **context})


@for_staff
@require_safe
def overview(request: PageRequest) -> HttpResponse:
    """The numbers; for who may not see them, the first page that they may see."""
    pages = administration_pages(request.user)
    if pages and pages[0].url_name != "administration":
        return redirect(pages[0].url_name)
    proof = access.superuser(user=request.user)
    return shown(
        request,
        "administration_overview",
        {"numbers": numbers(superuser=proof), "database": connection.vendor},
    )


@for_staff
@require_safe
def people(request: PageRequest) -> HttpResponse:
    """All accounts, or those found by any part of their names, which is `q`."""
    wanted = request.GET.get("q", "").strip().removeprefix("@")
    only_suspended = bool(request.GET.get("suspended")) and not wanted
    page = administration.account_page(
        viewer=access.account_viewer(staff=request.user),
        typed=wanted,
        only_suspended=only_suspended,
        cursor=request.GET.get("cursor"),
        limit=_PAGE,
    )
    context = {"wanted": wanted, "only_suspended": only_suspended, "page": page}
    return shown(request, "administered_people", context)


@for_staff
@require_safe
def person(request: PageRequest, username: str) -> HttpResponse:
    """An account, and what the reader may do to it."""
    account = access.administered_account(
        staff=request.user, username=username, action="view"
    )
    return shown(request, "administered_person", _person(request, account.user))


@for_staff
@require_POST
def suspend(request: PageRequest, username: str) -> HttpResponse:
    account = _changed(request, username)
    administration.set_active(account=account, is_active=False)
    flashes.success(request, f"{account.user.display_name} is suspended.")
    return redirect("administered_person", account.user.username)


@for_staff
@require_POST
def let_in(request: PageRequest, username: str) -> HttpResponse:
    account = _changed(request, username)
    administration.set_active(account=account, is_active=True)
    flashes.success(request, f"{account.user.display_name} may sign in again.")
    return redirect("administered_person", account.user.username)


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: PageRequest, username: str) -> HttpResponse:
    """Set a new password. One that was made is shown in this response only."""
    account = _changed(request, username)
    form = OthersPasswordForm(request.POST if request.method == "POST" else None)
    made = _password_set(request, form, account) if form.is_valid() else None
    if made is not None and form.cleaned_data["new_password"]:
        flashes.success(
            request,
            f"{account.user.display_name} has a new password, and is signed out"
            " everywhere.",
        )
        return redirect("administered_person", account.user.username)
    context = {"person": account.user, "form": form, "made": made}
    return _form_page(request, "administered_password", form, context)


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def delete_person(request: PageRequest, username: str) -> HttpResponse:
    """Show what the deletion takes along; with the reader's own password, delete."""
    account = access.administered_account(
        staff=request.user, username=username, action="delete"
    )
    form = OthersDeletionForm(request.POST if request.method == "POST" else None)
    context = {"person": account.user, "database": connection.vendor}
    counts = _deleted(request, form, account) if form.is_valid() else None
    if counts is not None:
        receipt = {**context, "counts": described(counts)}
        return shown(request, "administered_person_deleted", receipt)
    preview = described(preview_deletion(user=account.user))
    return _form_page(
        request,
        "administered_person_delete",
        form,
        {**context, "form": form, "counts": preview},
    )


@for_staff
@require_http_methods(["GET", "HEAD", "POST"])
def settings_page(request: PageRequest) -> HttpResponse:
    """The name of this place, and the settings in force."""
    proof = access.superuser(user=request.user)
    form = ServerNameForm(
        request.POST if request.method == "POST" else None,
        initial={"server_name": installation.server_name()},
    )
    if form.is_valid():
        with form.showing_refusal():
            installation.rename_server(
                by=proof, server_name=form.cleaned_data["server_name"]
            )
        if form.refusal is None:
            flashes.success(request, "The name is changed.")
            return redirect("administered_settings")
    context = {"form": form, "groups": settings_in_force(superuser=proof)}
    return _form_page(request, "administered_settings", form, context)


@for_staff
@require_safe
def welcome(request: PageRequest) -> HttpResponse:
    """After the first run: how to invite others."""
    access.superuser(user=request.user)
    context: dict[str, object] = {
        "registration": settings.PARLEY_REGISTRATION,
        "sign_up_address": request.build_absolute_uri(resolve_url("sign_up")),
    }
    return shown(request, "welcome", context)


def _changed(request: PageRequest, username: str) -> AdministeredAccount:
    return access.administered_account(
        staff=request.user, username=username, action="change"
    )


def _person(request: PageRequest, user: User) -> dict[str, object]:
    staff = request.user
    touchable = user != staff and access.may_touch(staff=staff, user=user)
    may_all = access.gives_rights(staff)
    return {
        "person": user,
        "has_rights": user.is_staff or user.is_superuser,
        "may_change": touchable and (may_all or access.may_administer(staff, "change")),
        "may_delete": touchable and (may_all or access.may_administer(staff, "delete")),
    }


def _form_page(
    request: PageRequest,
    template: str,
    form: RefusableForm,
    context: dict[str, object],
) -> HttpResponse:
    response = shown(request, template, context)
    if isinstance(form.refusal, WrongPasswordError):
        return response
    return set_refusal_status(response, form)


def _password_set(
    request: PageRequest, form: OthersPasswordForm, account: AdministeredAccount
) -> str | None:
    filled = form.cleaned_data
    with form.showing_refusal():
        with counted_attempt(request):
            passwords.confirm_password(user=request.user, password=filled["password"])
        return administration.set_password_of(
            account=account, new=filled["new_password"] or None
        )
    return None


def _deleted(
    request: PageRequest, form: OthersDeletionForm, account: AdministeredAccount
) -> DeletionCounts | None:
    with form.showing_refusal():
        with counted_attempt(request):
            passwords.confirm_password(
                user=request.user, password=form.cleaned_data["password"]
            )
        return delete_account_of(account=account)
    return None
