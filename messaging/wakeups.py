"""How a process learns at once that another has written something to be told.

A wake-up says no more than "look": what there is, is in the database. So one that
is lost or made up does no harm, and whoever waits looks once a second anyway:
while a channel is down, that is how fast news travels.
"""

import logging
import sqlite3
import time
from contextlib import suppress
from typing import Final, Protocol

import psycopg
from django.conf import settings
from django.db import Error, connection, connections, transaction
from redis import ConnectionPool, Redis, RedisError
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

logger = logging.getLogger(__name__)

_NOTIFIED: Final = "parley_events"
# How often a SQLite file is looked at: a few microseconds each.
_GLANCE_SECONDS: Final = 0.01
# A Redis that does not answer holds no writer up for longer, nor soon again.
_REDIS_PATIENCE_SECONDS: Final = 0.5
_REDIS_PAUSE_SECONDS: Final = 5.0


def announce() -> None:
    """Within a transaction that wrote what is to be told: wake all once it commits."""
    match settings.PARLEY_WAKEUPS:
        case "postgres":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [_NOTIFIED])
        case "redis":
            transaction.on_commit(_publisher.publish, robust=True)
        case "sqlite":
            # Whoever waits watches the file.
            pass


class Channel(Protocol):
    """The other end, of one thread."""

    def wait(self, timeout: float) -> None:
        """Return once there may be something new, at the latest after so many seconds."""

    def close(self) -> None: ...


def open_channel() -> Channel:
    match settings.PARLEY_WAKEUPS:
        case "postgres":
            return PostgresChannel()
        case "redis":
            return RedisChannel()
        case "sqlite":
            return SqliteChannel()


class SqliteChannel:
    """Looks whether the file was written to, by whatever process."""

    def __init__(self) -> None:
        # Of its own: a connection does not see its own writes as changes.
        self._database = connections["default"].copy("default")
        self._version: int | None = None

    def wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        try:
            while not self._changed() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(_GLANCE_SECONDS, left))
        except (Error, sqlite3.Error) as error:
            _lost(error)
            self.close()
            time.sleep(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self._version = None
        self._database.close()

    def _changed(self) -> bool:
        self._database.ensure_connection()
        # Past Django's cursor, which would cost more than the look itself.
        raw: sqlite3.Connection = self._database.connection
        version: int = raw.execute("PRAGMA data_version").fetchone()[0]
        before, self._version = self._version, version
        return before != version


class PostgresChannel:
    """LISTEN, on a connection of its own."""

    def __init__(self) -> None:
        self._database = connections["default"].copy("default")

    def wait(self, timeout: float) -> None:
        try:
            if self._database.connection is None:
                self._listen()
                return
            raw: psycopg.Connection = self._database.connection
            for _ in raw.notifies(timeout=timeout, stop_after=1):
                pass
        except (Error, psycopg.Error) as error:
            _lost(error)
            self.close()
            time.sleep(timeout)

    def close(self) -> None:
        with suppress(Error, psycopg.Error):
            self._database.close()
        self._database.connection = None

    def _listen(self) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(f"LISTEN {_NOTIFIED}")


class RedisChannel:
    """A subscription."""

    def __init__(self) -> None:
        self._subscription: PubSub | None = None

    def wait(self, timeout: float) -> None:
        try:
            if self._subscription is None:
                self._subscription = PubSub(_redis(), ignore_subscribe_messages=True)
                self._subscription.subscribe(_redis_channel())
                return
            deadline = time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                if self._subscription.get_message(timeout=left) is not None:
                    break
            while self._subscription.get_message(timeout=0) is not None:
                pass
        except (RedisError, OSError) as error:
            _lost(error)
            self.close()
            time.sleep(timeout)

    def close(self) -> None:
        if self._subscription is not None:
            with suppress(RedisError, OSError):
                self._subscription.close()
        self._subscription = None


class _Publisher:
    """Tells Redis; when that is down it loses the wake-up, and time for one writer."""

    def __init__(self) -> None:
        self._client: Redis | None = None
        self._silent_until = 0.0

    def publish(self) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._client = self._client or Redis(connection_pool=_redis())
            self._client.publish(_redis_channel(), b"")
        except RedisError as error:
            self._silent_until = time.monotonic() + _REDIS_PAUSE_SECONDS
            logger.warning("nobody is told of an event at once: %s", error)


_publisher: Final = _Publisher()


def _redis() -> ConnectionPool:
    return ConnectionPool.from_url(
        settings.PARLEY_REDIS_URL,
        socket_timeout=_REDIS_PATIENCE_SECONDS,
        socket_connect_timeout=_REDIS_PATIENCE_SECONDS,
        # Trying again is for whoever can wait.
        retry=Retry(NoBackoff(), 0),
    )


def _redis_channel() -> str:
    """A Redis may serve several installations."""
    return f"parley:{connection.settings_dict['NAME']}:events"


def _lost(error: Exception) -> None:
    logger.warning("news travels by a look a second: %s", type(error).__name__)
