"""The door of every page that is for someone signed in."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from chats.refusals import refused
from messaging.errors import DomainError
from messaging.ids import UserId
from messaging.models import User
from messaging.services.limits import count_request

P = ParamSpec("P")

_READING: Final = frozenset({"GET", "HEAD"})


class PageRequest(HttpRequest):
    """A request past `signed_in`: a type alone, no request is made of it."""

    user: User


def reader_of(request: PageRequest) -> UserId:
    return UserId(request.user.pk)


def in_place(request: HttpRequest) -> bool:
    """Whether a script asks for a part of the page, and not for another page."""
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def signed_in(
    view: Callable[Concatenate[PageRequest, P], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """Admit people, count what they ask for, and tell them of refusals.

    Nothing of it is kept by browsers: who signs out leaves no page behind.
    """

    @wraps(view)
    def admitted(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return _to_sign_in(request)
        try:
            count_request(
                person=UserId(request.user.pk), writes=request.method not in _READING
            )
            response = view(cast(PageRequest, request), *args, **kwargs)
        except DomainError as error:
            response = refused(request, error, in_place=in_place(request))
        response.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ("Cookie", "HX-Request"))
        return response

    return admitted


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    if in_place(request):
        return HttpResponseClientRedirect(resolve_url("sign_in"))
    # Where a write was wanted, there is no page to come back to.
    after = request.get_full_path() if request.method in _READING else "/"
    return redirect(f"{resolve_url('sign_in')}?{urlencode({'next': after}, safe='/')}")
