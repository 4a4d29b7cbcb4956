"""Exception handlers of the API: each maps an expected exception to a problem response.

Any other exception is a bug: Django logs it and answers 500.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, cast

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja.errors import AuthenticationError, HttpError, ValidationError

from api.ninja_internals import invalid_values, parser_error
from api.parsing import UnsupportedMediaTypeError
from api.preconditions import etag
from api.rate_headers import note
from edge.database_errors import database_is_away, refers_to_what_is_gone
from edge.problems import (
    BODY_TOO_LARGE,
    CSRF_FAILED,
    DATABASE_UNAVAILABLE,
    INVALID_REQUEST,
    MALFORMED_BODY,
    NOT_AUTHENTICATED,
    NOT_FOUND,
    UNREADABLE_BODY,
    UNSUPPORTED_MEDIA_TYPE,
    Fault,
    ProblemError,
    fault_response,
    problem_response,
)
from messaging.errors import (
    DomainError,
    InvalidError,
    RateLimitedError,
    StaleVersionError,
)

Handler = Callable[[HttpRequest, Exception], HttpResponse]

logger = logging.getLogger(__name__)


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """The problem response for an exception of one of the types in `ANSWERED`."""
    handler = next(
        handler for kind, handler in _HANDLERS.items() if isinstance(error, kind)
    )
    return handler(request, error)


def _always(fault: Fault) -> Handler:
    def handler(request: HttpRequest, error: Exception) -> HttpResponse:
        return fault_response(request, fault)

    return handler


def _domain(request: HttpRequest, raised: Exception) -> HttpResponse:
    error = cast(DomainError, raised)
    response = problem_response(
        request,
        status=error.status,
        code=error.code,
        detail=str(error),
        errors=_refused_values(request, error),
    )
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if isinstance(error, StaleVersionError):
        response["ETag"] = etag(error.message_id, error.current)
    if isinstance(error, RateLimitedError):
        note(request, [error.limit_status])
    return response


def _refused_values(request: HttpRequest, error: DomainError) -> Iterator[ProblemError]:
    if not isinstance(error, InvalidError):
        return
    source = _source_of(request, error.field)
    for reason in error.reasons:
        yield ProblemError(source=source, pointer=f"/{error.field}", detail=reason)


def _source_of(request: HttpRequest, field: str) -> str:
    if field in request.GET:
        return "query"
    if field in request.headers:
        return "header"
    if request.resolver_match is not None and field in request.resolver_match.kwargs:
        return "path"
    return "body"


def _invalid(request: HttpRequest, error: Exception) -> HttpResponse:
    wrong = [
        ProblemError(
            source=value.source, pointer=_pointer(value.path), detail=value.reason
        )
        for value in invalid_values(cast(ValidationError, error))
    ]
    return fault_response(request, INVALID_REQUEST, errors=wrong)


def _pointer(path: tuple[str, ...]) -> str:
    escaped = (part.replace("~", "~0").replace("/", "~1") for part in path)
    return "".join(f"/{part}" for part in escaped)


def _http(request: HttpRequest, error: Exception) -> HttpResponse:
    if isinstance(parser_error(cast(HttpError, error)), UnsupportedMediaTypeError):
        return fault_response(request, UNSUPPORTED_MEDIA_TYPE)
    if cast(HttpError, error).status_code == HTTPStatus.FORBIDDEN:
        return fault_response(request, CSRF_FAILED)
    return fault_response(request, MALFORMED_BODY)


def _broken_reference(request: HttpRequest, error: Exception) -> HttpResponse:
    """404 if a row that the write refers to was deleted meanwhile; else raise it, as a bug."""
    if not refers_to_what_is_gone(error):
        raise error
    logger.warning("A write referred to what is gone.", exc_info=error)
    return fault_response(request, NOT_FOUND)


def _unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    if not database_is_away(error):
        raise error
    logger.error("The database is unavailable.", exc_info=error)
    return fault_response(request, DATABASE_UNAVAILABLE)


_HANDLERS: Final[Mapping[type[Exception], Handler]] = MappingProxyType(
    {
        DomainError: _domain,
        ValidationError: _invalid,
        AuthenticationError: _always(NOT_AUTHENTICATED),
        HttpError: _http,
        RequestDataTooBig: _always(BODY_TOO_LARGE),
        UnreadablePostError: _always(UNREADABLE_BODY),
        Http404: _always(NOT_FOUND),
        IntegrityError: _broken_reference,
        OperationalError: _unavailable,
        InterfaceError: _unavailable,
        InternalError: _unavailable,
    }
)

ANSWERED: Final = tuple(_HANDLERS)
