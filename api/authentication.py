"""Who is calling: by bearer token, or by browser session with CSRF protection."""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from ninja.errors import AuthenticationError, HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf
from typing_extensions import override

from api.events.streams import Credential
from chats.addresses import client_address
from messaging.ids import TokenId, UserId
from messaging.models import ServiceToken, User
from messaging.services import tokens
from messaging.services.limits import count_bad_token
from messaging.services.service_tokens import valid_service_token

_KEY: Final = "parley.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """The person a request acts for, and the token it came with, if any."""

    user: User
    token_id: TokenId | None

    @property
    def id(self) -> UserId:
        return UserId(self.user.pk)


class ApiRequest(HttpRequest):
    """A request past authentication."""

    auth: Caller


class BearerAuth(HttpBearer):
    """`Authorization: Bearer …` with a token of POST /auth/register or /auth/tokens."""

    @override
    def __call__(self, request: HttpRequest) -> Caller | None:
        # Not by `request.headers`, which would first make a mapping of them all.
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
        # A bad token is an answer; it must not turn into somebody's session.
        if "HTTP_AUTHORIZATION" in request.META:
            return None
        return self.authenticate(request, request.COOKIES.get(self.param_name))

    @override
    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if known := _known(request):
            return known
        if key is None or not isinstance(request.user, User):
            return None
        if check_csrf(request) is not None:
            raise HttpError(403, "csrf_failed")
        return _remember(request, Caller(request.user, None))


class ServiceRequest(HttpRequest):
    """A request of the product beside which this runs."""

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
    """The caller, for a view that ninja has not authenticated yet.

    Asked again within the same request, it answers the same without a query.

    Raises:
        AuthenticationError: nobody, or a token that is not valid (any more).
        RateLimitedError: one of too many such tokens.
    """
    for authenticator in AUTHENTICATORS:
        if caller := authenticator(request):
            return caller
    raise AuthenticationError


def caller_id(request: HttpRequest) -> UserId | None:
    """Who called, for the log: as far as answering found out, without a query more."""
    if caller := _known(request):
        return caller.id
    # Kept by Django's middleware once a page has asked for `request.user`.
    user: object = getattr(request, "_cached_user", None)
    return UserId(user.pk) if isinstance(user, User) else None


def credential_of(request: ApiRequest) -> Credential:
    """What to ask again, as long as a stream goes on."""
    caller = request.auth
    session = request.session.session_key if caller.token_id is None else None
    return Credential(caller.id, caller.token_id, session, caller.user.password)


def still_signed_in(request: HttpRequest, caller: Caller) -> bool:
    """Whether an answer that takes its time may go on: nothing was revoked since."""
    if caller.token_id is not None:
        return tokens.holds(token_id=caller.token_id)
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
    return caller
