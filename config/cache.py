"""The Redis caches, whose absence slows things down and holds nothing up."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from typing_extensions import override

logger = logging.getLogger(__name__)

# For which a Redis that did not answer in time is not asked again.
_PAUSE_SECONDS: Final = 1


# A counter that is gone must not come back without the time when it ends.
_COUNT: Final = """
if redis.call("EXISTS", KEYS[1]) == 0 then return nil end
return redis.call("INCRBY", KEYS[1], ARGV[1])
"""


class _KeptClient(RedisCacheClient):
    """Asks through one client; Django makes one for each command, which takes longer
    than the answer. It counts in one step, where Django takes two.
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


class RestingRedisCache(RedisCache):
    """Redis, left alone for a moment by this process when it does not answer.

    One that hangs would cost every request its timeouts otherwise, and all
    threads would soon do nothing but wait.
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
        """Raises RedisError, at once while it is left alone."""
        if time.monotonic() < RestingRedisCache._asked_again_at:
            raise RedisTimeoutError("Redis did not answer a moment ago.")
        try:
            yield
        except RedisTimeoutError:
            # Of the process: Django makes a cache object for each thread.
            RestingRedisCache._asked_again_at = time.monotonic() + _PAUSE_SECONDS
            raise


class ForgivingRedisCache(RestingRedisCache):
    """Without Redis, nothing is found and nothing is kept."""

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
