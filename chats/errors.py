"""Domain errors on pages: their status, an error page, a flash message."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import reswap, retarget

from chats.forms import RefusableForm
from chats.unsent import unsent_form
from messaging.errors import DomainError


def set_error_status(response: HttpResponse, error: DomainError) -> HttpResponse:
    """Set the status of the error, and Retry-After if it has one."""
    response.status_code = error.status
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    return response


def error_response(
    request: HttpRequest, error: DomainError, *, in_place: bool
) -> HttpResponse:
    """Show a domain error: as a flash message in an open page (htmx), or as an error page."""
    if not in_place:
        # An error with Retry-After is temporary: the same form may be accepted later.
        unsent = unsent_form(request, again=error.retry_after is not None)
        context = {"refusal": error, "unsent": unsent, "conversation_id": None}
        return set_error_status(
            render(request, "chats/error_page.html", context), error
        )
    flash = render(request, "chats/error_flash.html", {"refusal": error})
    return set_error_status(reswap(retarget(flash, "#flashes"), "beforeend"), error)


def set_refusal_status(response: HttpResponse, *forms: RefusableForm) -> HttpResponse:
    """Set the status of the error that a service refused one of the forms with, if any."""
    for form in forms:
        if form.refusal is not None:
            return set_error_status(response, form.refusal)
    return response
