"""Bearer tokens: 256 random bits, shown once, kept as SHA-256."""

import hashlib
import secrets
from collections.abc import Collection, Iterator
from contextlib import (
    AbstractContextManager,
    contextmanager,
    nullcontext,
    suppress,
)
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import authenticate
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from messaging.cursors import decode_number, encode_cursor
from messaging.errors import (
    SignInError,
    TokenNotFoundError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, User
from messaging.pages import Page, cut_page
from messaging.services.passwords import hold_password
from messaging.statements import Parameter, Statement

# How far `last_used_at` may be behind.
USE_RECORDED_EVERY: Final = timedelta(minutes=1)

LISTED_FOR: Final = timedelta(days=30)

_VALID: Final = Statement(
    lambda: (
        AccessToken.objects.valid_at(Parameter("now"))
        .select_related("user")
        .filter(digest=Parameter("digest"))
    )
)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which nobody can read again."""

    token: AccessToken
    secret: str


def issue_token(*, user: User, name: str, expires_in: timedelta | None) -> IssuedToken:
    """Let a client act for this person, until it expires or is revoked."""
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    token = AccessToken.objects.create(
        user=user,
        name=name,
        digest=digest_of(secret),
        created_at=now,
        last_used_at=now,
        expires_at=None if expires_in is None else now + expires_in,
    )
    return IssuedToken(token, secret)


def sign_in(
    *, username: str, password: str, name: str, expires_in: timedelta | None
) -> IssuedToken:
    """Issue one to whoever knows the name and the password of an account.

    Raises:
        SignInError: unknown name, wrong password and suspended account look
            alike, and take one password hashing each.
    """
    user = authenticate(username=username, password=password)
    if isinstance(user, User):
        with suppress(WrongPasswordError, UserNotFoundError):
            return issue_after_guess(user=user, name=name, expires_in=expires_in)
    raise SignInError("Unknown username or wrong password.")


def issue_after_guess(
    *, user: User, name: str, expires_in: timedelta | None
) -> IssuedToken:
    """Issue one to somebody whose password was just tried, and found right.

    Raises:
        WrongPasswordError: it was changed since; tokens end with it.
        UserNotFoundError: the account was deleted since.
    """
    with transaction.atomic():
        hold_password(user_id=UserId(user.pk), tried=user.password)
        return issue_token(user=user, name=name, expires_in=expires_in)


def valid_token(*, secret: str) -> AccessToken | None:
    """The token of this secret with its user, unless expired, revoked or suspended.

    That it was used is recorded, at most once a minute.
    """
    now = timezone.now()
    token = _VALID.first(now=now, digest=digest_of(secret))
    if token is not None and token.last_used_at <= now - USE_RECORDED_EVERY:
        _record_use(token, now)
    return token


def holds(*, token_id: TokenId) -> bool:
    """Whether a token that was valid a moment ago still is."""
    return AccessToken.objects.valid_at(timezone.now()).filter(pk=token_id).exists()


def those_held(*, token_ids: Collection[TokenId]) -> frozenset[TokenId]:
    """Which of these tokens are valid now; one query, none for none."""
    if not token_ids:
        return frozenset()
    held = AccessToken.objects.valid_at(timezone.now()).filter(pk__in=token_ids)
    return frozenset(TokenId(pk) for pk in held.values_list("pk", flat=True))


def token_page(*, owner: UserId, cursor: str | None, limit: int) -> Page[AccessToken]:
    """A person's tokens, newest first; expired ones too."""
    tokens = AccessToken.objects.filter(user=owner)
    if cursor is not None:
        tokens = tokens.filter(pk__lt=decode_number("tokens", cursor))
    return cut_page(
        tokens.order_by("-pk")[: limit + 1],
        limit=limit,
        cursor_of=lambda token: encode_cursor("tokens", token.pk),
    )


def revoke_token(*, owner: UserId, token_id: TokenId | None) -> None:
    """End a token at once.

    Raises:
        TokenNotFoundError: it is not theirs, already revoked, or there is none.
    """
    revoked, _ = AccessToken.objects.filter(user=owner, pk=token_id or 0).delete()
    if not revoked:
        raise TokenNotFoundError("You have no such token.")


def clear_expired_tokens() -> int:
    """Forget tokens that expired a month ago; until then their owner sees them listed."""
    expired = AccessToken.objects.filter(expires_at__lt=timezone.now() - LISTED_FOR)
    return expired._raw_delete(expired.db)


def digest_of(secret: str) -> str:
    """What is kept of a secret: enough to know it again, too little to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _record_use(token: AccessToken, now: datetime) -> None:
    """Reading must not wait for writers: while they hold the lock, a later use will do."""
    with suppress(OperationalError), _impatient(), transaction.atomic():
        AccessToken.objects.filter(
            pk__in=AccessToken.objects.select_for_update(skip_locked=True)
            .filter(pk=token.pk, last_used_at=token.last_used_at)
            .values("pk")
        ).update(last_used_at=now)


def _impatient() -> AbstractContextManager[None]:
    """SQLite has one lock for all its writers: do not wait for it."""
    return _without_waiting() if connection.vendor == "sqlite" else nullcontext()


@contextmanager
def _without_waiting() -> Iterator[None]:
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {patience:d}")
