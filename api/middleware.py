"""Middleware: request ids, the access log, and one shape for every refusal."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from api.authentication import caller_id
from api.logs import access_log, current_request_id, method_of, route_of
from api.metrics import count_answered
from api.problems import CONTENT_TYPE, problem_response
from api.request_ids import request_id

GetResponse = Callable[[HttpRequest], HttpResponseBase]

# Pages for people; Django's own error pages suit them better.
_PAGES: Final = (
    "/account/",
    "/admin/",
    "/blocks",
    "/conversations",
    "/inbox",
    "/messages",
    "/notifications",
    "/people",
    "/settings",
    "/sign-",
)

_CHUNK_BYTES: Final = 64 * 1024
_DRAINED_BYTES: Final = 16 * 1024 * 1024

_CODES: Final = {
    HTTPStatus.BAD_REQUEST: ("bad_request", "The request could not be understood."),
    HTTPStatus.FORBIDDEN: ("forbidden", "This is not allowed."),
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "This address does not take this method; see the Allow header.",
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "internal_error",
        "Something went wrong here; the request id helps to find it.",
    ),
}


class RequestIdMiddleware:
    """Answers every request with its id, which is in all that is logged meanwhile."""

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
    """Logs and counts every answer; one that is streamed, when it begins."""

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
    """Keeps what is answered out of every cache that is not told otherwise."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        if request.path.startswith("/api/"):
            patch_vary_headers(response, ("Authorization", "Cookie"))
        return response


class ProblemMiddleware:
    """Turns the error pages of Django and ninja into problem responses."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST:
            return response
        _read_to_the_end(request)
        if response.get("Content-Type") == CONTENT_TYPE or _is_for_people(request):
            return response
        return _as_problem(request, response)


def _is_for_people(request: HttpRequest) -> bool:
    """A page, or an address that is none, asked for by a browser."""
    if request.path.startswith(_PAGES):
        return True
    accepts_pages = "text/html" in request.headers.get("Accept", "")
    return accepts_pages and not request.path.startswith("/api/")


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
        fields["path"] = request.path
    access_log.info(
        "%s %s %s", method, route, response.status_code, extra={"fields": fields}
    )


def _read_to_the_end(request: HttpRequest) -> None:
    """Read what is left of a body that was refused unread.

    Otherwise the server cuts the connection, and a client that keeps it open
    loses its next request.
    """
    for _ in range(_DRAINED_BYTES // _CHUNK_BYTES):
        try:
            if not request.read(_CHUNK_BYTES):
                return
        except UnreadablePostError:
            return


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    status = HTTPStatus(response.status_code)
    code, detail = _CODES.get(status, (status.name.lower(), f"{status.phrase}."))
    problem = problem_response(request, status=status, code=code, detail=detail)
    for header, value in response.items():
        if header not in {"Content-Type", "Content-Length"}:
            problem.headers.setdefault(header, value)
    # Django marks so what it has logged; the copy would be logged once more.
    vars(problem).update(_has_been_logged="_has_been_logged" in vars(response))
    return problem
