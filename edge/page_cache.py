"""The cache of conversation pages: never stale, and never another user's page.

Before a cached page is used, the caller is authenticated, and one query reads whether
they are a participant and which version the page has. Every write raises the version in
its own transaction. It is part of the cache key, so that an entry of an older version
is never requested again. Therefore any number of processes may have caches of their
own. The 60 seconds only bound how long an entry takes up space; deleted content is
evicted sooner, see `cached_pages`.

Nothing on a page differs between participants, so they share the entries.
"""

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_cache_key
from django.utils.http import parse_etags
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_headers

from edge.cached_pages import note_page
from messaging.services.conversations import PageVersion

P = ParamSpec("P")

# cache_page's key contains the URL and the headers that the response varies on. The
# server sets this header, so that clients cannot choose a cache key.
SCOPE_HEADER: Final = "X-Cache-Scope"
_SCOPE_KEY: Final = "HTTP_X_CACHE_SCOPE"
# A larger page is not cached: it would take the space of ten others.
MAX_BYTES: Final = 256 * 1024
_MISS: Final = "parley.cache_miss"


def cached(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Decorator: cache a view that `respond` calls after it has checked access."""
    return cache_page(60)(vary_on_headers(SCOPE_HEADER)(_shared(view)))


def _shared(view: Callable[P, HttpResponseBase]) -> Callable[P, HttpResponseBase]:
    """Let all participants share a new entry; called on a cache miss.

    Without `public`, cache_page would make an entry for each Authorization header; and
    it does not cache a `private` response.
    """

    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        request = args[0]
        if isinstance(request, HttpRequest):
            request.META[_MISS] = True
        response = view(*args, **kwargs)
        if isinstance(response, HttpResponse) and response.status_code == HTTPStatus.OK:
            small = len(response.content) <= MAX_BYTES
            response["Cache-Control"] = "public" if small else "private"
        return response

    return wrapped


def respond(
    request: HttpRequest, page: PageVersion, view: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """Answer with 304, with the cached page, or with a new page from `view`.

    `view` must be decorated with `cached`. `page` must have been read for the caller of
    this request: that checks their access.
    """
    scope = (
        f"{settings.PARLEY_BUILD} {page.epoch} {page.conversation_id} {page.version}"
    )
    etag = _etag(scope, request)
    if _has(request, etag):
        return _with_headers(HttpResponse(status=HTTPStatus.NOT_MODIFIED), etag)
    request.META[_SCOPE_KEY] = scope
    response = view()
    if response.status_code != HTTPStatus.OK:
        # It names our internal header, which is of no use to clients.
        del response["Vary"]
        return response
    response["X-Cache"] = "hit"
    if _MISS in request.META:
        response["X-Cache"] = "miss"
        _note(request, page)
    return _with_headers(response, etag)


def _note(request: HttpRequest, page: PageVersion) -> None:
    """Record the key under which the page was cached, unless it was too large."""
    key = get_cache_key(request, method=request.method or "GET")
    if key is not None:
        note_page(key, page.conversation_id)


def _etag(scope: str, request: HttpRequest) -> str:
    named = f"{scope} {request.get_full_path()}"
    return f'"{hashlib.sha256(named.encode()).hexdigest()[:32]}"'


def _has(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    # A proxy that compresses the page makes its ETag weak.
    return etag in (tag.removeprefix("W/") for tag in known)


def _with_headers(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    """Replace cache_page's headers, which are meant for public pages."""
    del response["Expires"]
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    response["ETag"] = etag
    return response
