"""How a conversation's page is cached: never stale, never someone else's.

Before anything cached is touched, the caller is authenticated and one query
answers whether they take part and which version the page has. That version,
which every write raises in its own transaction, is part of the cache key; the
entry of an older one is simply never asked for again. So any number of
processes may cache for themselves, and the 60 seconds only bound how long an
entry takes up room.

A page holds nothing that differs between participants, so they share entries.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_headers

from messaging.services.conversations import PageVersion

P = ParamSpec("P")

# cache_page keys by the URL and the headers that the response varies on. This one
# is ours: it is overwritten before, so that a client cannot choose it.
SCOPE_HEADER: Final = "X-Cache-Scope"
_SCOPE_KEY: Final = "HTTP_X_CACHE_SCOPE"
# A page of long messages would take the room of ten others.
_MAX_BYTES: Final = 256 * 1024
_MISS: Final = "parley.cache_miss"


def shared(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Innermost, reached on a miss: let all whom the gate admits share the page.

    Without `public`, cache_page keeps a page for each Authorization header; what
    is `private` it does not keep.
    """

    def sharing(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request = args[0]
        if isinstance(request, HttpRequest):
            request.META[_MISS] = True
        response = view(*args, **kwargs)
        if isinstance(response, HttpResponse) and response.status_code == HTTPStatus.OK:
            small = len(response.content) <= _MAX_BYTES
            response["Cache-Control"] = "public" if small else "private"
        return response

    return sharing


# To be applied in this order, the first innermost, below a gate that calls `respond`.
CACHED: Final = (shared, vary_on_headers(SCOPE_HEADER), cache_page(60))


def respond(
    request: HttpRequest, page: PageVersion, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Answer with 304, the cached page, or a new one made by `view`.

    `view` is decorated with `CACHED`; `page` was read for this request's caller.
    """
    scope = f"{settings.PARLEY_VERSION} {page.epoch} {page.conversation_id} {page.version} {page.names}"
    etag = _etag(scope, request)
    if _has(request, etag):
        return _described(HttpResponse(status=HTTPStatus.NOT_MODIFIED), etag)
    request.META[_SCOPE_KEY] = scope
    response = view()
    if response.status_code != HTTPStatus.OK:
        del response["Vary"]
        return response
    response["X-Cache"] = "miss" if _MISS in request.META else "hit"
    return _described(response, etag)


def _etag(scope: str, request: HttpRequest) -> str:
    named = f"{scope} {request.get_full_path()}"
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


def _has(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return etag in (tag.removeprefix("W/") for tag in known)


def _described(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """Say to browsers and proxies what cache_page, meant for public pages, does not."""
    del response["Expires"]
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    response["ETag"] = etag
    return response
