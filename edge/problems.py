"""Refusals and failures as problem responses (RFC 9457).

Errors of the domain have their codes and statuses in `messaging/errors.py`. Every
refusal or failure before a service is called is a `Fault` in this module.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import orjson
from django.http import HttpRequest, HttpResponse
from pydantic import BaseModel, Field

from edge.request_ids import request_id

CONTENT_TYPE: Final = "application/problem+json"


class ProblemError(BaseModel):
    """One invalid part of the request."""

    source: str = Field(description="`body`, `query`, `path` or `header`.")
    pointer: str = Field(description="JSON pointer to the value within its source.")
    detail: str


class Problem(BaseModel):
    """The body of every refusal and failure (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` tells problems apart.")
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="Stable, for programs.")
    detail: str = Field(description="For people; may be reworded.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Names the request in the server's log.")
    errors: list[ProblemError] = Field(description="Empty unless values were invalid.")


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal or failure that is no error of the domain; `detail` is for people."""

    status: HTTPStatus
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)


BAD_REQUEST: Final = Fault(
    HTTPStatus.BAD_REQUEST, "bad_request", "The request could not be understood."
)
MALFORMED_BODY: Final = Fault(
    HTTPStatus.BAD_REQUEST, "malformed_body", "The body is not valid JSON."
)
UNREADABLE_BODY: Final = Fault(
    HTTPStatus.BAD_REQUEST, "unreadable_body", "The body ended before it was complete."
)
NOT_AUTHENTICATED: Final = Fault(
    HTTPStatus.UNAUTHORIZED,
    "not_authenticated",
    "Send a valid token: `Authorization: Bearer …`.",
)
FORBIDDEN: Final = Fault(HTTPStatus.FORBIDDEN, "forbidden", "This is not allowed.")
CSRF_FAILED: Final = Fault(
    HTTPStatus.FORBIDDEN,
    "csrf_failed",
    "A write in a browser session needs the CSRF token.",
)
NOT_FOUND: Final = Fault(
    HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address."
)
METHOD_NOT_ALLOWED: Final = Fault(
    HTTPStatus.METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "This address does not take this method; see the Allow header.",
)
SLOW_BODY: Final = Fault(
    HTTPStatus.REQUEST_TIMEOUT,
    "slow_body",
    "The body did not come in time.",
    # Close the connection: the rest of the body may still arrive.
    {"Connection": "close"},
)
RESULT_GONE: Final = Fault(
    HTTPStatus.GONE,
    "result_gone",
    "The request had succeeded; what it made is gone by now.",
)
BODY_TOO_LARGE: Final = Fault(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_large",
    "The body is larger than this server takes.",
)
UNSUPPORTED_MEDIA_TYPE: Final = Fault(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "Send the body as `Content-Type: application/json`.",
)
INVALID_REQUEST: Final = Fault(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_request",
    "Some values of the request are not valid; see errors.",
)
INTERNAL_ERROR: Final = Fault(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "internal_error",
    "Something went wrong here; the request id helps to find it.",
)
OVERLOADED: Final = Fault(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "overloaded",
    "Too many requests wait; nothing was done. Try again in a moment.",
    {"Retry-After": "2"},
)
DATABASE_UNAVAILABLE: Final = Fault(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "database_unavailable",
    "The database cannot answer at the moment; try again.",
)
NOT_READY: Final = Fault(
    HTTPStatus.SERVICE_UNAVAILABLE, "not_ready", "The server is not ready."
)

# By the status of Django's error pages.
_FAULTS_BY_STATUS: Final[Mapping[int, Fault]] = MappingProxyType(
    {
        fault.status: fault
        for fault in (
            BAD_REQUEST,
            FORBIDDEN,
            NOT_FOUND,
            METHOD_NOT_ALLOWED,
            INTERNAL_ERROR,
        )
    }
)


def fault_of(status: int) -> Fault:
    """The fault for an error page with this status."""
    known = HTTPStatus(status)
    return _FAULTS_BY_STATUS.get(known) or Fault(
        known, known.name.lower(), f"{known.phrase}."
    )


def fault_response(
    request: HttpRequest, fault: Fault, *, errors: Iterable[ProblemError] = ()
) -> HttpResponse:
    response = problem_response(
        request,
        status=fault.status,
        code=fault.code,
        detail=fault.detail,
        errors=errors,
    )
    for name, value in fault.headers.items():
        response[name] = value
    return response


def problem_response(
    request: HttpRequest,
    *,
    status: HTTPStatus,
    code: str,
    detail: str,
    errors: Iterable[ProblemError] = (),
) -> HttpResponse:
    problem = Problem(
        type="about:blank",
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        instance=request.path,
        request_id=request_id(request),
        errors=list(errors),
    )
    response = HttpResponse(
        orjson.dumps(problem.model_dump()), status=status, content_type=CONTENT_TYPE
    )
    response["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110 demands this header in a 401.
        response["WWW-Authenticate"] = "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = "1"
    return response
