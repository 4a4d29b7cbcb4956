"""Limits that hold: what is counted is counted before it is done.

A window is a stretch of the clock (every quarter of an hour, say), the same for
all processes. Taking one of its quota is a single atomic step of the store, so
that however many requests come at once, exactly the quota gets through.

Keys are keyed hashes: nobody who reads the counters learns a name or an address.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis import RedisError
from typing_extensions import override

from messaging.errors import (
    LimitsUnavailableError,
    RateLimitedError,
    SignInError,
    WrongPasswordError,
)
from messaging.ids import UserId
from messaging.models import LimitCounter
from messaging.rates import Rate, Reading

logger = logging.getLogger(__name__)

# Sent with the name of a `limit` that was reached, whoever asked and by whatever door.
refused: Final = Signal()

_DOWN: Final = (DatabaseError, RedisError)

# Of a counter, beyond its window: hosts whose clocks differ share it all the same.
_SLACK_SECONDS: Final = 60

_CLEARED_AT_ONCE: Final = 1000


@contextmanager
def counted_guess(*, username: str, address: str) -> Iterator[tuple[Reading, ...]]:
    """Count a password before it is tried; one that was right is not counted.

    Counted for the account together with the address, so that nobody can lock
    another person out from elsewhere, and for the address alone, so that nobody
    can try one password on everyone. Names that no account has count alike.

    Yields:
        What is left if the password is wrong; nothing when limits are off.

    Raises:
        RateLimitedError: nothing was tried, nothing was counted.
        LimitsUnavailableError
    """
    if not settings.PARLEY_RATE_LIMITS:
        yield ()
        return
    of_address = _take(
        _shared_store(),
        "sign-in-address",
        settings.PARLEY_LIMIT_SIGN_IN_ADDRESS,
        address,
    )
    try:
        of_account = _take(
            _shared_store(),
            "sign-in",
            settings.PARLEY_LIMIT_SIGN_IN,
            address,
            username.lower(),
        )
    except RateLimitedError:
        of_address.give_back()
        raise
    try:
        yield of_account.reading, of_address.reading
    except (SignInError, WrongPasswordError):
        raise
    except BaseException:
        of_account.give_back()
        of_address.give_back()
        raise
    of_account.give_back()
    of_address.give_back()


def count_registration(*, address: str) -> tuple[Reading, ...]:
    """Count a try to open an account, whatever comes of it.

    Raises:
        RateLimitedError, LimitsUnavailableError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return ()
    taken = _take(
        _shared_store(),
        "registrations",
        settings.PARLEY_LIMIT_REGISTRATIONS,
        address,
    )
    return (taken.reading,)


def count_bad_token(*, address: str) -> None:
    """Count a token that opens nothing. Valid ones from the same address go on.

    Raises:
        RateLimitedError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return
    # Uncounted, it is still refused.
    with suppress(LimitsUnavailableError):
        _take(_shared_store(), "bad-tokens", settings.PARLEY_LIMIT_BAD_TOKENS, address)


def count_request(*, person: UserId, writes: bool) -> tuple[Reading, ...]:
    """Count a request of someone signed in; let it through if counters are down.

    Raises:
        RateLimitedError
    """
    if not settings.PARLEY_RATE_LIMITS:
        return ()
    name, rate = (
        ("writes", settings.PARLEY_LIMIT_WRITES)
        if writes
        else ("reads", settings.PARLEY_LIMIT_READS)
    )
    try:
        return (_take(_CACHE, name, rate, str(person)).reading,)
    except LimitsUnavailableError:
        return ()


def clear_expired_counters() -> int:
    """Forget windows that are over, a bounded number at a time; says how many."""
    with transaction.atomic():
        # Locked in passing: two that clear at once must not wait for each other.
        expired = (
            LimitCounter.objects.select_for_update(skip_locked=True)
            .filter(expires_at__lt=timezone.now())
            .values_list("key", flat=True)[:_CLEARED_AT_ONCE]
        )
        keys = list(expired)
        if keys:
            LimitCounter.objects.filter(key__in=keys).delete()
    return len(keys)


class _Store(Protocol):
    """Where counters are kept. Both steps are atomic over everyone that uses it."""

    def take(self, key: str, *, quota: int, expires: int) -> int | None:
        """Count one more and say how many there are; None, uncounted, if too many.

        `expires` is in seconds since 1970.
        """

    def give_back(self, key: str) -> None: ...


class _DatabaseStore(_Store):
    @override
    def take(self, key: str, *, quota: int, expires: int) -> int | None:
        used = self._counted(key, quota, datetime.fromtimestamp(expires, UTC))
        if used == 1:
            clear_expired_counters()
        return used

    @override
    def give_back(self, key: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE messaging_limitcounter SET used = used - 1"
                " WHERE key = %s AND used > 0",
                [key],
            )

    def _counted(self, key: str, quota: int, expires_at: datetime) -> int | None:
        # Whoever is refused anyway need not wait for the database's writers.
        if LimitCounter.objects.filter(key=key, used__gte=quota).exists():
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO messaging_limitcounter (key, used, expires_at)"
                " VALUES (%s, 1, %s) ON CONFLICT (key) DO UPDATE"
                " SET used = messaging_limitcounter.used + 1"
                " WHERE messaging_limitcounter.used < %s RETURNING used",
                [key, connection.ops.adapt_datetimefield_value(expires_at), quota],
            )
            row: tuple[int] | None = cursor.fetchone()
        return None if row is None else row[0]


class _CacheStore(_Store):
    """The cache alias `limits`: Redis, or a memory of this process alone."""

    @override
    def take(self, key: str, *, quota: int, expires: int) -> int | None:
        used = self._counted(key, expires)
        if used <= quota:
            return used
        self.give_back(key)
        return None

    @override
    def give_back(self, key: str) -> None:
        # A counter that is gone has nothing to give back to.
        with suppress(ValueError):
            caches["limits"].decr(key)

    def _counted(self, key: str, expires: int) -> int:
        cache = caches["limits"]
        try:
            return cache.incr(key)
        except ValueError:
            cache.add(key, 0, timeout=expires - int(timezone.now().timestamp()))
            return cache.incr(key)


_DATABASE: Final = _DatabaseStore()
_CACHE: Final = _CacheStore()


def _shared_store() -> _Store:
    """The store that all processes count in."""
    return _CACHE if settings.PARLEY_SHARED_LIMITS == "cache" else _DATABASE


@dataclass(frozen=True, slots=True)
class _Taken:
    store: _Store
    key: str
    reading: Reading

    def give_back(self) -> None:
        try:
            self.store.give_back(self.key)
        except _DOWN as error:
            logger.warning("a limit's counter could not be lowered: %s", error)


def _take(store: _Store, limit: str, rate: Rate, *subject: str) -> _Taken:
    now = int(timezone.now().timestamp())
    window, elapsed = divmod(now, rate.seconds)
    resets_in = rate.seconds - elapsed
    key = _key(limit, str(rate.seconds), str(window), *subject)
    try:
        used = store.take(
            key, quota=rate.quota, expires=now + resets_in + _SLACK_SECONDS
        )
    except _DOWN as error:
        logger.warning("limits cannot be counted: %s", error)
        raise LimitsUnavailableError(
            "This cannot be done safely at the moment; try again."
        ) from error
    if used is None:
        refused.send_robust(Reading, limit=limit)
        raise RateLimitedError(
            f"Too many requests of this kind; try again in {resets_in} seconds.",
            reading=Reading(limit, rate, 0, resets_in),
        )
    return _Taken(store, key, Reading(limit, rate, rate.quota - used, resets_in))


# Whoever sends one request sends more; a window later their keys are others.
@lru_cache(maxsize=4096)
def _key(*parts: str) -> str:
    return salted_hmac(
        "messaging.limits", "\n".join(parts), algorithm="sha256"
    ).hexdigest()
