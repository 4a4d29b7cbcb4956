"""Django's middleware for browsers, skipped for programs that send a token.

It takes a tenth of the time of a quick request. A request with a token has no session:
the API uses a token or a session, never both.
"""

from collections.abc import Awaitable
from functools import partial
from typing import Final

from django.conf import settings
from django.contrib.auth import middleware as authentication
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject
from typing_extensions import override

from messaging.models import User
from messaging.sessions import SessionStore

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class _ForBrowsers(MiddlewareMixin):
    @override
    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if "HTTP_AUTHORIZATION" in request.META and request.path.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(_ForBrowsers, sessions.SessionMiddleware):
    """Django's middleware, but a read request never removes the session cookie.

    The answer to a request with an old cookie may arrive after a sign-in, or after a
    change of the password, has set a new one. Removing the cookie would then sign the
    browser out.
    """

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponse
    ) -> HttpResponse:
        opens_nothing = (
            settings.SESSION_COOKIE_NAME in request.COOKIES
            and request.session.is_empty()
        )
        if opens_nothing and request.method in _READING:
            patch_vary_headers(response, ("Cookie",))
            return response
        return super().process_response(request, response)


class AuthenticationMiddleware(_ForBrowsers, authentication.AuthenticationMiddleware):
    """Django's, with the user who was read together with the session."""

    @override
    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(partial(_user_of, request))  # type: ignore[assignment]  # as Django does


def _user_of(request: HttpRequest) -> User | AnonymousUser:
    session = request.session
    user = None
    if isinstance(session, SessionStore):
        user = session.quickly_verified_user()
    if user is None:
        return authentication.get_user(request)
    # Where Django's own function keeps whom it found.
    request._cached_user = user  # type: ignore[attr-defined]
    return user


class MessageMiddleware(_ForBrowsers, messages.MessageMiddleware):
    pass
