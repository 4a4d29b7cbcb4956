"""Redis caches that fail soft: without Redis, pages are slower, but nothing blocks."""

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final, cast

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis, RedisError
from redis.client import Pipeline
from redis.exceptions import TimeoutError as RedisTimeoutError
from typing_extensions import override

logger = logging.getLogger(__name__)

# After a timeout, Redis is not asked for this many seconds.
_PAUSE_SECONDS: Final = 1

# Keys per command: Redis serves nobody else while it runs a command.
_GROUPS_AT_ONCE: Final = 500

# INCRBY alone would create an expired counter again, without an expiry.
_COUNT: Final = """
if redis.call("EXISTS", KEYS[1]) == 0 then return nil end
return redis.call("INCRBY", KEYS[1], ARGV[1])
"""


class _KeptClient(RedisCacheClient):
    """Keeps one client; Django makes one per command, which takes longer than the command.

    It increments a counter by one command, where Django takes two.
    """

    _kept: Redis | None = None

    @override
    def get_client(
        self, key: str | bytes | memoryview | None = None, *, write: bool = False
    ) -> Redis:
        if self._kept is None:
            self._kept = super().get_client(key, write=write)
            self._count = self._kept.register_script(_COUNT)
        return self._kept

    @override
    def incr(self, key: str | bytes | memoryview, delta: int) -> int:
        client = self.get_client(key, write=True)
        counted = cast(
            "int | None", self._count(keys=[key], args=[delta], client=client)
        )
        if counted is None:
            raise ValueError(f"Key {key!r} not found.")
        return counted


class CircuitBreakingRedisCache(RedisCache):
    """A circuit breaker: after a timeout, this process does not ask Redis for a moment.

    Otherwise each request would wait for a Redis that hangs, and soon all threads
    would.
    """

    _asked_again_at = 0.0

    @override
    def __init__(self, server: str | list[str], params: dict[str, object]) -> None:
        super().__init__(server, params)
        self._class = _KeptClient

    @override
    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        with self._answering():
            return super().incr(key, delta, version)

    @override
    def add(
        self,
        key: str,
        value: object,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        with self._answering():
            return super().add(key, value, timeout, version)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """A context for commands to Redis.

        Raises:
            RedisError: Redis failed, or has timed out in the last `_PAUSE_SECONDS`.
        """
        if time.monotonic() < CircuitBreakingRedisCache._asked_again_at:
            raise RedisTimeoutError("Redis did not answer a moment ago.")
        try:
            yield
        except RedisTimeoutError:
            # An attribute of the class, for the whole process: Django makes a cache
            # object per thread.
            CircuitBreakingRedisCache._asked_again_at = (
                time.monotonic() + _PAUSE_SECONDS
            )
            raise


class FailSoftRedisCache(CircuitBreakingRedisCache):
    """Without Redis, it finds nothing and stores nothing."""

    @override
    def get(
        self, key: str, default: object = None, version: int | None = None
    ) -> object:
        try:
            with self._answering():
                return super().get(key, default, version)
        except RedisError as error:
            logger.warning("cache read failed: %s", error)
            return default

    @override
    def set(
        self,
        key: str,
        value: object,
        timeout: float | None = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        try:
            with self._answering():
                super().set(key, value, timeout, version)
        except RedisError as error:
            logger.warning("cache write failed: %s", error)

    def note(self, key: str, *, group: str, timeout: int) -> None:
        """Add a key to a group, until its entry expires; see edge.cached_pages."""
        members = self.make_and_validate_key(group)
        try:
            with self._answering(), self._commands() as commands:
                commands.sadd(members, self.make_and_validate_key(key))
                commands.expire(members, timeout)
                commands.execute()
        except RedisError as error:
            logger.warning("cache write failed: %s", error)

    def forget(self, groups: Collection[str]) -> None:
        """Delete groups and all entries whose keys are in them."""
        names = [self.make_and_validate_key(group) for group in groups]
        client = self._cache.get_client(write=True)
        try:
            with self._answering():
                for start in range(0, len(names), _GROUPS_AT_ONCE):
                    some = names[start : start + _GROUPS_AT_ONCE]
                    client.unlink(*some, *cast("set[bytes]", client.sunion(some)))
        except RedisError as error:
            logger.warning("deleted pages stay cached for a minute: %s", error)

    def _commands(self) -> Pipeline:
        client: Redis = self._cache.get_client(write=True)
        return client.pipeline(transaction=False)
