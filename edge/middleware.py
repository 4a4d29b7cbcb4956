"""Middleware: request ids, the access log, private caching, error responses."""

import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.urls import URLResolver, get_resolver
from django.utils.cache import patch_vary_headers

from edge.callers import caller_id
from edge.logs import access_log, current_request_id, method_of, path_of, route_of
from edge.metrics import count_answered
from edge.problems import CONTENT_TYPE, Fault, fault_of, fault_response
from edge.request_ids import request_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# The environ's key for the fault of a request that the server itself refuses. No header
# of a client can set it.
REFUSAL: Final = "parley.refusal"


class RequestIdMiddleware:
    """Adds the request's id to its response, and to all log records meanwhile."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = current_request_id.set(request_id(request))
        try:
            response = self.get_response(request)
        finally:
            current_request_id.reset(token)
        response["X-Request-ID"] = request_id(request)
        return response


class AccessMiddleware:
    """Logs and counts every response; a streamed one when it begins."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        count_answered(request, response, seconds)
        _log_access(request, response, seconds)
        return response


class PrivateMiddleware:
    """Marks responses `private, no-store`, unless they have a Cache-Control."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        public = response.headers["Cache-Control"].startswith("public")
        if request.path.startswith("/api/") and not public:
            patch_vary_headers(response, ("Authorization", "Cookie"))
        return response


class ProblemMiddleware:
    """Replaces Django's error pages by problem responses, except below the site's pages."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            response.status_code < HTTPStatus.BAD_REQUEST
            or response.get("Content-Type") == CONTENT_TYPE
            or _is_for_people(request)
        ):
            return response
        return _as_problem(request, response)


class RefusalMiddleware:
    """Answers requests that the server itself refused, without session and database."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if REFUSAL not in request.META:
            return self.get_response(request)
        fault: Fault = request.META[REFUSAL]
        if not _is_for_people(request):
            return fault_response(request, fault)
        page = loader.get_template(f"{fault.status:d}.html").render()
        return HttpResponse(page, status=fault.status, headers=fault.headers)


def _is_for_people(request: HttpRequest) -> bool:
    """Whether an error is answered by a page: below the path of a page, or for a browser.

    Scripts of pages do not ask for HTML by name, so the Accept header is not enough.
    """
    section = request.path.lstrip("/").partition("/")[0]
    if section in _page_sections(get_resolver()):
        return True
    accepts_pages = "text/html" in request.headers.get("Accept", "")
    return accepts_pages and not request.path.startswith("/api/")


@cache
def _page_sections(site: URLResolver) -> frozenset[str]:
    """The first path segments of all pages."""
    return frozenset(
        f"{included.pattern}{each.pattern}".partition("/")[0]
        for included in site.url_patterns
        if isinstance(included, URLResolver)
        and not str(included.pattern).startswith("api/")
        for each in included.url_patterns
    )


def _log_access(
    request: HttpRequest, response: HttpResponseBase, seconds: float
) -> None:
    method, route = method_of(request), route_of(request)
    fields: dict[str, object] = {
        "method": method,
        "route": route,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 1),
        "user_id": caller_id(request),
    }
    if settings.PARLEY_LOG_DETAILS:
        fields["path"] = path_of(request)
    access_log.info(
        "%s %s %s", method, route, response.status_code, extra={"fields": fields}
    )


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    problem = fault_response(request, fault_of(response.status_code))
    for header, value in response.items():
        # Keep the other headers, such as Allow and Retry-After.
        if header not in {"Content-Type", "Content-Length"}:
            problem.headers.setdefault(header, value)
    # Django's mark for a logged response: without it, Django would log the copy again.
    vars(problem).update(_has_been_logged="_has_been_logged" in vars(response))
    return problem
