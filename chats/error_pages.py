"""Pages for errors that no view handles.

The API's answers among them become problem responses in `ProblemMiddleware`.
"""

import logging
import sys
from http import HTTPStatus
from typing import cast
from urllib.parse import urlencode

from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import redirect, render, resolve_url
from django.template.loader import render_to_string
from django.views import defaults

from chats.unsent import unsent_form
from edge.database_errors import database_is_away, refers_to_what_is_gone
from messaging.models import User

logger = logging.getLogger(__name__)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form without a valid CSRF token; `reason` is for developers only.

    It shows the typed text with a new token, unless the form is from another site. A
    user who signs in again, because another tab signed them in meanwhile, is
    redirected.
    """
    if request.path == resolve_url("sign_in") and isinstance(request.user, User):
        after = urlencode({"next": request.POST.get("next", "")}, safe="/")
        return redirect(f"{request.path}?{after}")
    context = {"unsent": unsent_form(request, again=True)}
    return render(request, "403_csrf.html", context, status=HTTPStatus.FORBIDDEN)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a request that Django refuses to read, such as a form that is too large."""
    if request.path.startswith("/api/"):
        return cast(HttpResponse, defaults.bad_request(request, exception))
    too_large = isinstance(exception, RequestDataTooBig)
    status = (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST
    )
    # Without a request context: the user may not be known yet.
    page = render_to_string("400.html", {"too_large": too_large})
    return HttpResponse(page, status=status)


def server_error(request: HttpRequest) -> HttpResponse:
    """The response to an exception that no view and no middleware handled."""
    error = sys.exc_info()[1]
    if refers_to_what_is_gone(error) and not request.path.startswith("/admin/"):
        # Log it as an error, since on SQLite it may be a bug (see
        # `refers_to_what_is_gone`).
        logger.error("A write referred to what is gone.", exc_info=error)
        missing: HttpResponse = defaults.page_not_found(request, Http404())
        return missing
    response = _failure(request)
    if database_is_away(error):
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        response["Retry-After"] = "1"
    return response


def _failure(request: HttpRequest) -> HttpResponse:
    """The page for a failure, with the typed text; it needs no database."""
    unsent = unsent_form(request, again=False)
    return HttpResponseServerError(render_to_string("500.html", {"unsent": unsent}))
