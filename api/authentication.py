"""Authentication: by bearer token, or by browser session with CSRF protection."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer
from typing_extensions import override

from api.events.credentials import Credential
from api.ninja_internals import passes_csrf
from edge.addresses import client_address
from edge.callers import note_caller
from messaging.ids import TokenId, UserId
from messaging.models import ServiceToken, User
from messaging.services import tokens
from messaging.services.limits import count_bad_token
from messaging.services.service_tokens import valid_service_token

_KEY: Final = "parley.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user whom a request acts for, and the token it was authenticated by, if any."""

    user: User
    token_id: TokenId | None

    @property
    def id(self) -> UserId:
        return UserId(self.user.pk)


class ApiRequest(HttpRequest):
    """An authenticated request."""

    auth: Caller


class BearerAuth(HttpBearer):
    """`Authorization: Bearer …` with a token of POST /auth/register or /auth/tokens."""

    @override
    def __call__(self, request: HttpRequest) -> Caller | None:
        # `request.headers` would first build a mapping of all headers.
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return self.authenticate(request, token) if scheme.lower() == "bearer" else None

    @override
    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        return _known(request) or _remember(request, _token_caller(request, token))


class SessionAuth(APIKeyCookie):
    """The session cookie of the web pages; writes need the CSRF token as well."""

    param_name = settings.SESSION_COOKIE_NAME

    @override
    def __call__(self, request: HttpRequest) -> Caller | None:
        # An invalid token must be a 401: do not fall back to the browser's session.
        if "HTTP_AUTHORIZATION" in request.META:
            return None
        return self.authenticate(request, request.COOKIES.get(self.param_name))

    @override
    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if known := _known(request):
            return known
        if key is None or not isinstance(request.user, User):
            return None
        # Browsers send the cookie with forged requests of other sites, too.
        if not passes_csrf(request):
            raise HttpError(403, "csrf_failed")
        return _remember(request, Caller(request.user, None))


class ServiceRequest(HttpRequest):
    """A request authenticated by a service token."""

    auth: ServiceToken


class ServiceAuth(HttpBearer):
    """`Authorization: Bearer …` with a token of `manage.py create_service_token`."""

    @override
    def authenticate(self, request: HttpRequest, token: str) -> ServiceToken | None:
        found = valid_service_token(secret=token)
        if found is None:
            count_bad_token(address=client_address(request))
        return found


SERVICE: Final = ServiceAuth()
AUTHENTICATORS: Final = (BearerAuth(), SessionAuth())


def authenticate(request: HttpRequest) -> Caller:
    """Authenticate the caller, before ninja does.

    The result is kept for the request, so that calling it again takes no query.

    Raises:
        AuthenticationError: there is no token and no session, or they are not valid.
        RateLimitedError: the token is invalid, and its address sent too many such
            tokens.
    """
    for authenticator in AUTHENTICATORS:
        if caller := authenticator(request):
            return caller
    raise AuthenticationError


def credential_of(request: ApiRequest) -> Credential:
    """The credential of a request, for a stream that checks it while it is open."""
    caller = request.auth
    session = request.session.session_key if caller.token_id is None else None
    return Credential(caller.id, caller.token_id, session, caller.user.password)


def still_signed_in(request: HttpRequest, caller: Caller) -> bool:
    """Whether the caller's token or session is still valid; for long responses."""
    if caller.token_id is not None:
        return tokens.is_valid_token(token_id=caller.token_id)
    # Read session and user from the database again: `request.user` is as it was when
    # the request began.
    key = request.session.session_key
    return (
        key is not None
        and request.session.exists(key)
        and get_user(request).is_authenticated
    )


def _token_caller(request: HttpRequest, secret: str) -> Caller | None:
    token = tokens.valid_token(secret=secret)
    if token is None:
        count_bad_token(address=client_address(request))
        return None
    return Caller(token.user, TokenId(token.pk))


def _known(request: HttpRequest) -> Caller | None:
    known = request.META.get(_KEY)
    return known if isinstance(known, Caller) else None


def _remember(request: HttpRequest, caller: Caller | None) -> Caller | None:
    request.META[_KEY] = caller
    if caller is not None:
        note_caller(request, caller.id)
    return caller
