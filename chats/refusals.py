"""How a page tells that the domain said no: the one place that maps its errors."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import reswap, retarget

from messaging.errors import (
    ConflictError,
    DomainError,
    ForbiddenError,
    InvalidError,
    LimitsUnavailableError,
    NotFoundError,
    RateLimitedError,
    StaleVersionError,
)

_STATUSES: Final[Mapping[type[DomainError], HTTPStatus]] = MappingProxyType(
    {
        NotFoundError: HTTPStatus.NOT_FOUND,
        ForbiddenError: HTTPStatus.FORBIDDEN,
        ConflictError: HTTPStatus.CONFLICT,
        StaleVersionError: HTTPStatus.CONFLICT,
        InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
        RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
        LimitsUnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def status_of(error: DomainError) -> HTTPStatus:
    return next(
        (status for kind, status in _STATUSES.items() if isinstance(error, kind)),
        HTTPStatus.BAD_REQUEST,
    )


def mark_refused(response: HttpResponse, error: DomainError) -> HttpResponse:
    """Give a page that shows a refusal the status and header of one."""
    response.status_code = status_of(error)
    if isinstance(error, RateLimitedError):
        response["Retry-After"] = str(error.reading.resets_in)
    return response


def refused(
    request: HttpRequest, error: DomainError, *, in_place: bool
) -> HttpResponse:
    """Tell of a refusal: among the messages of an open page, or as a page."""
    if not in_place:
        page = render(request, "chats/refused.html", {"refusal": error})
        return mark_refused(page, error)
    told = render(request, "chats/refusal.html", {"refusal": error})
    return mark_refused(reswap(retarget(told, "#flashes"), "beforeend"), error)


def add_refusal(form: forms.Form, error: DomainError) -> None:
    """Show a refusal at the field it is about, or above the form."""
    field = error.field if isinstance(error, InvalidError) else None
    form.add_error(field if field in form.fields else None, str(error))
