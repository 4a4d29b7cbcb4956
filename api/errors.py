"""Every exception that is an answer, and the problem response that tells of it.

Anything else is a defect: it passes on to Django, which logs it and answers 500.
"""

import logging
import sqlite3
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypedDict, cast

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views import defaults
from ninja.errors import AuthenticationError, HttpError, ValidationError

from api.parsing import UnsupportedMediaTypeError
from api.problems import ProblemError, problem_response, refusal_response
from messaging.errors import DomainError

Handler = Callable[[HttpRequest, Exception], HttpResponse]

logger = logging.getLogger(__name__)

# PostgreSQL ended a transaction in which nothing was done for too long: a process stood
# still in the middle of it, and what it had begun was undone.
_IDLE_IN_TRANSACTION: Final = "25P03"


class _InvalidValue(TypedDict):
    loc: tuple[str | int, ...]
    msg: str


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """The problem response for an exception of `ANSWERED`."""
    handler = next(
        handler for kind, handler in _HANDLERS.items() if isinstance(error, kind)
    )
    return handler(request, error)


def _always(status: HTTPStatus, code: str, detail: str) -> Handler:
    def handler(request: HttpRequest, error: Exception) -> HttpResponse:
        return problem_response(request, status=status, code=code, detail=detail)

    return handler


def _domain(request: HttpRequest, error: Exception) -> HttpResponse:
    return refusal_response(request, cast(DomainError, error))


def _invalid(request: HttpRequest, error: Exception) -> HttpResponse:
    values = cast("list[_InvalidValue]", cast(ValidationError, error).errors)
    return problem_response(
        request,
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="invalid_request",
        detail="Some values of the request are not valid; see errors.",
        errors=[_problem_error(value) for value in values],
    )


def _problem_error(value: _InvalidValue) -> ProblemError:
    source, *path = value["loc"]
    # The names of the view's arguments, which clients know nothing of.
    if path[:1] in (["body"], ["parameters"]):
        path = path[1:]
    pointer = "".join(
        f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path
    )
    return ProblemError(source=str(source), pointer=pointer, detail=value["msg"])


_unauthenticated = _always(
    HTTPStatus.UNAUTHORIZED,
    "not_authenticated",
    "Send a valid token: `Authorization: Bearer …`.",
)


def _http(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(error.__cause__, UnsupportedMediaTypeError):
        return problem_response(
            request,
            status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            code="unsupported_media_type",
            detail="Send the body as `Content-Type: application/json`.",
        )
    if cast(HttpError, error).status_code == HTTPStatus.FORBIDDEN:
        return problem_response(
            request,
            status=HTTPStatus.FORBIDDEN,
            code="csrf_failed",
            detail="A write in a browser session needs the CSRF token.",
        )
    return problem_response(
        request,
        status=HTTPStatus.BAD_REQUEST,
        code="malformed_body",
        detail="The body is not valid JSON.",
    )


_too_large = _always(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_large",
    "The body is larger than this server takes.",
)


_unreadable = _always(
    HTTPStatus.BAD_REQUEST, "unreadable_body", "The body ended before it was complete."
)


_missing = _always(
    HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address."
)


def _broken_reference(request: HttpRequest, error: Exception) -> HttpResponse:
    """What the write referred to was deleted meanwhile; anything else is a defect."""
    if not _refers_to_what_is_gone(error):
        raise error
    logger.warning("A write referred to what is gone.", exc_info=error)
    return _missing(request, error)


def _refers_to_what_is_gone(error: BaseException | None) -> bool:
    """PostgreSQL tells it from deleting what is still referred to; SQLite does not."""
    if not isinstance(error, IntegrityError):
        return False
    reason = str(error.__cause__).lower()
    return "foreign key" in reason and "update or delete on table" not in reason


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if not _database_is_away(error):
        raise error
    logger.error("The database is unavailable.", exc_info=error)
    return problem_response(
        request,
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        code="database_unavailable",
        detail="The database cannot answer at the moment; try again.",
    )


def _database_is_away(error: BaseException | None) -> bool:
    """It is away, busy or full; a statement it cannot run is a defect."""
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return False
    cause = error.__cause__
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", None) == _IDLE_IN_TRANSACTION
    return not (
        isinstance(cause, sqlite3.OperationalError)
        and cause.sqlite_errorcode == sqlite3.SQLITE_ERROR
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """What Django answers where nothing else does: in pages and in middleware."""
    error = sys.exc_info()[1]
    if _refers_to_what_is_gone(error) and not request.path.startswith("/admin/"):
        # As an error: on SQLite it may as well be a defect.
        logger.error("A write referred to what is gone.", exc_info=error)
        missing: HttpResponse = defaults.page_not_found(request, Http404())
        return missing
    response: HttpResponse = defaults.server_error(request)
    if _database_is_away(error):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = "1"
    return response


_HANDLERS: Final[Mapping[type[Exception], Handler]] = MappingProxyType(
    {
        DomainError: _domain,
        ValidationError: _invalid,
        AuthenticationError: _unauthenticated,
        HttpError: _http,
        RequestDataTooBig: _too_large,
        UnreadablePostError: _unreadable,
        Http404: _missing,
        IntegrityError: _broken_reference,
        OperationalError: _unavailable,
        InterfaceError: _unavailable,
        InternalError: _unavailable,
    }
)

ANSWERED: Final = tuple(_HANDLERS)
