"""Counters of limits: counting an action in the current window, and giving it back.

Windows are fixed (each quarter of an hour, for example) and the same for all processes.
Counting is one atomic step of the store: of many concurrent requests, exactly as many
pass as the quota allows.

Counter keys are HMACs, so that the counters reveal no names and no addresses.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol, cast

from django.conf import settings
from django.core.cache import caches
from django.db import DatabaseError, connection, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.crypto import salted_hmac
from redis import RedisError
from typing_extensions import override

from messaging.database import execute, fetch_all
from messaging.errors import LimitsUnavailableError, RateLimitedError
from messaging.lock_timeouts import lock_timeout
from messaging.models import LimitCounter
from messaging.rates import LimitStatus, Rate

logger = logging.getLogger(__name__)

# Sent with the name of a `limit` that was exceeded, for API and pages alike.
limit_reached: Final = Signal()

_STORE_ERRORS: Final = (DatabaseError, RedisError)

# Counters outlive their windows by this much, since the clocks of hosts differ.
_SLACK_SECONDS: Final = 60

# Bounded, so that the request that triggers the clean-up is not slow.
_CLEARED_AT_ONCE: Final = 1000


class Store(Protocol):
    """A store of counters, whose operations are atomic over all processes that use it."""

    def take(self, key: str, *, number: int, quota: int, expires: int) -> int | None:
        """Add `number` and return the total; None, without counting, if that exceeds the quota.

        `expires` is in seconds since 1970.
        """

    def give_back(self, key: str, *, number: int) -> None: ...


class _DatabaseStore(Store):
    @override
    def take(self, key: str, *, number: int, quota: int, expires: int) -> int | None:
        most = quota - number
        used = self._counted(key, number, most, datetime.fromtimestamp(expires, UTC))
        # A window begins: a moment to clear those that are over.
        if used == number:
            clear_expired_counters()
        return used

    @override
    def give_back(self, key: str, *, number: int) -> None:
        # The transaction will be rolled back, which undoes the count anyway.
        if connection.needs_rollback:
            return
        # Not by the ORM: an update that failed would mark the surrounding transaction
        # for rollback.
        execute(
            "UPDATE messaging_limitcounter SET used = used - %s"
            " WHERE key = %s AND used >= %s",
            [number, key, number],
        )

    def _counted(
        self, key: str, number: int, most: int, expires_at: datetime
    ) -> int | None:
        # Refuse by a query first, which does not wait for the write lock.
        if most < 0 or LimitCounter.objects.filter(key=key, used__gt=most).exists():
            return None
        # SQL by hand: the ORM's upsert can neither add to a value nor take a condition.
        rows = fetch_all(
            "INSERT INTO messaging_limitcounter (key, used, expires_at)"
            " VALUES (%s, %s, %s) ON CONFLICT (key) DO UPDATE"
            " SET used = messaging_limitcounter.used + excluded.used"
            " WHERE messaging_limitcounter.used <= %s RETURNING used",
            [key, number, expires_at, most],
        )
        return cast(int, rows[0][0]) if rows else None


class _NeverWaitingStore(_DatabaseStore):
    """A database store that fails instead of waiting for the write lock."""

    @override
    def take(self, key: str, *, number: int, quota: int, expires: int) -> int | None:
        with lock_timeout(0):
            return super().take(key, number=number, quota=quota, expires=expires)


class _CacheStore(Store):
    """The cache alias `limits`: Redis, or the memory of this process."""

    @override
    def take(self, key: str, *, number: int, quota: int, expires: int) -> int | None:
        used = self._counted(key, number, expires)
        if used <= quota:
            return used
        self.give_back(key, number=number)
        return None

    @override
    def give_back(self, key: str, *, number: int) -> None:
        # The cache may have evicted the counter.
        with suppress(ValueError):
            caches["limits"].decr(key, number)

    def _counted(self, key: str, number: int, expires: int) -> int:
        cache = caches["limits"]
        try:
            return cache.incr(key, number)
        except ValueError:
            cache.add(key, 0, timeout=expires - int(timezone.now().timestamp()))
            return cache.incr(key, number)


_DATABASE: Final = _DatabaseStore()
NEVER_WAITING: Final = _NeverWaitingStore()
CACHE: Final = _CacheStore()


def shared_store() -> Store:
    """The store that all processes count in."""
    return CACHE if settings.PARLEY_SHARED_LIMITS == "cache" else _DATABASE


@dataclass(frozen=True, slots=True)
class Taken:
    """What was counted, to give it back."""

    store: Store
    key: str
    number: int
    limit_status: LimitStatus

    def give_back(self) -> None:
        try:
            self.store.give_back(self.key, number=self.number)
        except _STORE_ERRORS as error:
            logger.warning("a limit's counter could not be lowered: %s", error)


def take(
    store: Store, limit: str, rate: Rate, *subject: str | int, number: int = 1
) -> Taken:
    """Count in the current window of a limit, for a subject: an address, a name, an id.

    Raises:
        RateLimitedError: it would exceed the quota; nothing was counted.
        LimitsUnavailableError: the store cannot count.
    """
    now = int(timezone.now().timestamp())
    window, elapsed = divmod(now, rate.seconds)
    resets_in = rate.seconds - elapsed
    key = _key(limit, rate.seconds, window, *subject)
    try:
        used = store.take(
            key,
            number=number,
            quota=rate.quota,
            expires=now + resets_in + _SLACK_SECONDS,
        )
    except _STORE_ERRORS as error:
        logger.warning("limits cannot be counted: %s", error)
        raise LimitsUnavailableError(
            "This cannot be done safely at the moment; try again."
        ) from error
    if used is None:
        limit_reached.send_robust(LimitStatus, limit=limit)
        raise RateLimitedError(
            f"Too many requests of this kind; try again in {resets_in} seconds.",
            limit_status=LimitStatus(limit, rate, 0, resets_in),
        )
    limit_status = LimitStatus(limit, rate, rate.quota - used, resets_in)
    return Taken(store, key, number, limit_status)


def _key(limit: str, *subject: str | int) -> str:
    """The counter's key. Keys of ids are memoised, since a user sends many requests in a row."""
    # Keys of names and addresses are not memoised: these must not stay in memory.
    remembered = not any(isinstance(part, str) for part in subject)
    return (_remembered_digest if remembered else _digest)(limit, *subject)


def _digest(*parts: str | int) -> str:
    return salted_hmac(
        "messaging.limits", "\n".join(map(str, parts)), algorithm="sha256"
    ).hexdigest()


_remembered_digest: Final = lru_cache(maxsize=4096)(_digest)


def clear_expired_counters() -> int:
    """Delete a bounded number of counters whose windows are over; return how many."""
    with transaction.atomic():
        # Skip rows that another process is deleting at the same time.
        expired = (
            LimitCounter.objects.select_for_update(skip_locked=True)
            .filter(expires_at__lt=timezone.now())
            .values_list("key", flat=True)[:_CLEARED_AT_ONCE]
        )
        keys = list(expired)
        if keys:
            LimitCounter.objects.filter(key__in=keys).delete()
    return len(keys)
