"""Access tokens: 256 random bits, returned once, and stored as SHA-256."""

import hashlib
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from messaging.changes import Change, open_change
from messaging.cursors import decode_number, encode_cursor
from messaging.database import CompiledQuery, erase_in_batches
from messaging.errors import (
    SignInError,
    TokenNotFoundError,
    TooManyTokensError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId, UserId
from messaging.lock_timeouts import lock_timeout
from messaging.models import AccessToken, User
from messaging.pagination import Page, cut_page
from messaging.services.access_revocations import access_ended
from messaging.services.passwords import lock_password
from messaging.text import clean_token_name

# `last_used_at` may be out of date by this much: otherwise each use would be a write.
USE_RECORDED_EVERY: Final = timedelta(minutes=1)

# Expired tokens stay in the list this long.
LISTED_FOR: Final = timedelta(days=30)


@CompiledQuery
def _valid(*, digest: str, now: datetime) -> QuerySet[AccessToken]:
    tokens = AccessToken.objects.valid_at(now).select_related("user")
    return tokens.filter(digest=digest)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token with its secret, which nobody can read again."""

    token: AccessToken
    secret: str


def issue_token(*, user: User, name: str, expires_in: timedelta | None) -> IssuedToken:
    """Issue an access token for a user.

    Raises:
        InvalidTokenNameError
        TooManyTokensError: the user has as many tokens as allowed; names the oldest.
        UserNotFoundError: the account was deleted just now.
    """
    name = clean_token_name(name)
    with open_change() as change:
        # Locked: of two tokens issued at the same time, the second counts the first.
        change.lock_users({user.pk})
        _require_room(UserId(user.pk))
        return _issue(user, name, expires_in)


def issue_replacing_oldest(
    *, user: User, name: str, expires_in: timedelta
) -> IssuedToken:
    """Issue a token for a service; at the limit, it replaces the oldest token."""
    name = clean_token_name(name)
    with open_change() as change:
        change.lock_users({user.pk})
        tokens = AccessToken.objects.filter(user=user)
        newest = tokens.order_by("-pk").values_list("pk", flat=True)
        kept = list(newest[: settings.PARLEY_MAX_TOKENS - 1])
        _end(tokens.exclude(pk__in=kept), user, change)
        return _issue(user, name, expires_in)


def sign_in(
    *,
    username: str,
    password: str,
    name: str,
    expires_in: timedelta | None,
    replaces: TokenId | None = None,
) -> IssuedToken:
    """Check a username and password, and issue an access token.

    `replaces` is a token of the user to revoke in exchange.

    Raises:
        InvalidTokenNameError: raised before the password is checked.
        TooManyTokensError: the user has as many tokens as allowed; names the oldest.
        SignInError: unknown name, wrong password and suspended account look alike, and
            each takes one password hashing.
    """
    name = clean_token_name(name)
    # Django hashes the password of an unknown username too, so that timing reveals
    # nothing.
    user = authenticate(username=username, password=password)
    if isinstance(user, User):
        with suppress(WrongPasswordError, UserNotFoundError):
            return issue_after_password(
                user=user, name=name, expires_in=expires_in, replaces=replaces
            )
    raise SignInError("Unknown username or wrong password.")


def issue_after_password(
    *,
    user: User,
    name: str,
    expires_in: timedelta | None,
    replaces: TokenId | None = None,
) -> IssuedToken:
    """Issue an access token to a user whose password was just checked.

    Raises:
        InvalidTokenNameError
        TooManyTokensError: the user has as many tokens as allowed; names the oldest.
        WrongPasswordError: the password was changed since, which ends tokens.
        UserNotFoundError: the account was deleted since.
    """
    with open_change() as change:
        lock_password(user_id=UserId(user.pk), tried=user.password, change=change)
        # First, to make room for the new token.
        _end(AccessToken.objects.filter(user=user, pk=replaces or 0), user, change)
        return issue_token(user=user, name=name, expires_in=expires_in)


def valid_token(*, secret: str) -> AccessToken | None:
    """The token of this secret with its user; None if it is unknown, expired, or the user
    suspended.

    Its use is recorded, at most once a minute.
    """
    now = timezone.now()
    token = _valid.first(now=now, digest=digest_of(secret))
    if token is not None and token.last_used_at <= now - USE_RECORDED_EVERY:
        _record_use(token, now)
    return token


def is_valid_token(*, token_id: TokenId) -> bool:
    """Whether a token is still valid."""
    return AccessToken.objects.valid_at(timezone.now()).filter(pk=token_id).exists()


def valid_token_ids(*, token_ids: Collection[TokenId]) -> frozenset[TokenId]:
    """Those of these tokens that are valid now; one query, or none without ids."""
    if not token_ids:
        return frozenset()
    held = AccessToken.objects.valid_at(timezone.now()).filter(pk__in=token_ids)
    return frozenset(TokenId(pk) for pk in held.values_list("pk", flat=True))


def token_page(*, owner: UserId, cursor: str | None, limit: int) -> Page[AccessToken]:
    """A user's tokens, newest first, expired ones included."""
    tokens = AccessToken.objects.filter(user=owner)
    if cursor is not None:
        tokens = tokens.filter(pk__lt=decode_number("tokens", cursor))
    return cut_page(
        tokens.order_by("-pk")[: limit + 1],
        limit=limit,
        cursor_of=lambda token: encode_cursor("tokens", token.pk),
    )


def revoke_token(*, owner: UserId, token_id: TokenId | None) -> None:
    """Revoke a token at once.

    Raises:
        TokenNotFoundError: the user has no such token (any more).
    """
    with open_change() as change:
        # Locked before the clock: the event names the account, which whoever deletes it
        # holds while they wait for the clock.
        account = change.locked(User.objects.filter(pk=owner))
        tokens = AccessToken.objects.filter(user__in=account, pk=token_id or 0)
        revoked, _ = tokens.delete()
        if not revoked:
            raise TokenNotFoundError("You have no such token.")
        change.record(access_ended(owner))


def clear_expired_tokens() -> int:
    """Delete tokens that expired a month ago; return how many."""
    expired = AccessToken.objects.filter(expires_at__lt=timezone.now() - LISTED_FOR)
    return erase_in_batches(expired)


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret. Secrets are random, so they need no salt and no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _issue(user: User, name: str, expires_in: timedelta | None) -> IssuedToken:
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


def _end(tokens: QuerySet[AccessToken], user: User, change: Change) -> None:
    """Revoke these tokens of a user, and end the streams opened with them."""
    if tokens.delete()[0]:
        change.record(access_ended(UserId(user.pk)))


def _require_room(user_id: UserId) -> None:
    """Refuse at the limit, after deleting expired tokens, which are otherwise listed for a
    while.
    """
    tokens = AccessToken.objects.filter(user=user_id)
    if tokens.count() < settings.PARLEY_MAX_TOKENS:
        return
    now = timezone.now()
    tokens.filter(expires_at__lte=now).delete()
    if tokens.count() >= settings.PARLEY_MAX_TOKENS:
        raise _too_many(tokens.earliest("pk"))


def _too_many(oldest: AccessToken) -> TooManyTokensError:
    name = f"“{oldest.name}”" if oldest.name else "one without a name"
    return TooManyTokensError(
        f"You have {settings.PARLEY_MAX_TOKENS:,} access tokens, as many as one may have."
        f" Revoke one first; the oldest is {name} (id {oldest.pk}), made on"
        f" {oldest.created_at:%Y-%m-%d} and last used on {oldest.last_used_at:%Y-%m-%d}."
    )


def _record_use(token: AccessToken, now: datetime) -> None:
    """Record the use, unless the database is locked: a read request must not wait for writers.

    A later request records it then.
    """
    with suppress(OperationalError), lock_timeout(0), transaction.atomic():
        AccessToken.objects.filter(
            # A locked row means that another request is recording its use.
            pk__in=AccessToken.objects.select_for_update(skip_locked=True)
            .filter(pk=token.pk, last_used_at=token.last_used_at)
            .values("pk")
        ).update(last_used_at=now)
