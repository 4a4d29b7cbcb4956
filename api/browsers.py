"""Django's middleware for browsers, of no use to a program that sends a token.

It takes a tenth of the time of a quick request. Whoever sends a token to the API
has no session: see `api.authentication.SessionAuth`.
"""

from collections.abc import Awaitable

from django.contrib.auth import middleware as authentication
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from typing_extensions import override


class _ForBrowsers(MiddlewareMixin):
    @override
    def __call__(
        self, request: HttpRequest
    ) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if "HTTP_AUTHORIZATION" in request.META and request.path.startswith("/api/"):
            return self.get_response(request)
        return super().__call__(request)


class SessionMiddleware(_ForBrowsers, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_ForBrowsers, authentication.AuthenticationMiddleware):
    pass


class MessageMiddleware(_ForBrowsers, messages.MessageMiddleware):
    pass
