"""Decorators and helpers of page views: sign-in, request counting, domain errors, htmx."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, Final, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib.auth.middleware import get_user
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from chats.errors import error_response
from chats.unsent import unsent_form
from messaging.errors import DomainError
from messaging.ids import UserId
from messaging.models import User
from messaging.services.limits import count_request

P = ParamSpec("P")

_READING: Final = frozenset({"GET", "HEAD"})


class PageRequest(HttpRequest):
    """A request that `signed_in` has checked. Only a type: no request is an instance."""

    user: User


def reader_of(request: PageRequest) -> UserId:
    return UserId(request.user.pk)


def in_place(request: HttpRequest) -> bool:
    """Whether htmx requests a fragment of the open page, and not another page."""
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def path_kept_from_referrers(
    view: Callable[Concatenate[HttpRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Tell nobody the path of a page, which may hold a code, by `Referer`.

    A proxy logs that header for the page's own styles and scripts. Not `no-referrer`:
    browsers would send `Origin: null` with its forms, which are refused then.
    """

    @wraps(view)
    def wrapped(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "strict-origin"
        return response

    return wrapped


def signed_in(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Require a signed-in user, count the request, and show domain errors.

    Browsers must not store the response: after sign-out, no page may be left.
    """

    @wraps(view)
    def wrapped(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        # Without Django's proxy, through which each attribute takes ten times as long.
        request.user = user = cast(User, get_user(request))
        try:
            count_request(
                user_id=UserId(user.pk), writes=request.method not in _READING
            )
            response = view(cast(PageRequest, request), *args, **kwargs)
        except DomainError as error:
            response = error_response(request, error, in_place=in_place(request))
        response.headers.setdefault("Cache-Control", "private, no-store")
        # htmx gets fragments from the same URLs as whole pages.
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response

    return wrapped


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    sign_in_url = resolve_url("sign_in")
    if in_place(request):
        open_page = HtmxDetails(request).current_url_abs_path
        return HttpResponseClientRedirect(_with_next(sign_in_url, open_page))
    if (unsent := unsent_form(request, again=True)) is not None:
        page = render(request, "chats/signed_out.html", {"unsent": unsent})
        page.status_code = HTTPStatus.FORBIDDEN
        page.headers["Cache-Control"] = "private, no-store"
        return page
    # A redirect cannot repeat a write: go to the start page after sign-in.
    after = request.get_full_path() if request.method in _READING else "/"
    return redirect(_with_next(sign_in_url, after))


def _with_next(sign_in_url: str, page: str | None) -> str:
    return (
        sign_in_url
        if page is None
        else f"{sign_in_url}?{urlencode({'next': page}, safe='/@')}"
    )
