"""Wake-ups between processes: a process learns at once that another has written an event.

A wake-up has no data, since the event is in the database. So a lost or spurious one
does no harm. Waiting processes also poll once a second, which bounds the delay while a
channel is down. A `Change` sends wake-ups.
"""

import logging
import sqlite3
import time
from contextlib import suppress
from typing import Final, Protocol

import psycopg
from django.conf import settings
from django.db import Error, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.client import PubSub
from redis.retry import Retry

logger = logging.getLogger(__name__)

NOTIFIED: Final = "parley_events"
# Pause between two polls of a SQLite file; a poll takes a few microseconds.
_FILE_POLL_SECONDS: Final = 0.01
# A Redis that does not answer may delay a writer this long.
_REDIS_TIMEOUT_SECONDS: Final = 0.5


class Channel(Protocol):
    """The receiving end of wake-ups, used by one thread."""

    def wait(self, timeout: float) -> None:
        """Return as soon as there may be something new, at the latest after `timeout` seconds."""

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
    """Polls whether any process has written to the database file."""

    def __init__(self) -> None:
        # A separate connection: `data_version` does not change by a connection's own
        # writes.
        self._database = connections["default"].copy("default")
        self._version: int | None = None

    def wait(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        try:
            while not self._changed() and (left := deadline - time.monotonic()) > 0:
                time.sleep(min(_FILE_POLL_SECONDS, left))
        except (Error, sqlite3.Error) as error:
            _lost(error)
            self.close()
            time.sleep(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        self._version = None
        self._database.close()

    def _changed(self) -> bool:
        self._database.ensure_connection()
        # Django's cursor would cost more than the poll itself.
        raw: sqlite3.Connection = self._database.connection
        version: int = raw.execute("PRAGMA data_version").fetchone()[0]
        before, self._version = self._version, version
        return before != version


class PostgresChannel:
    """LISTENs on a connection of its own, which stays open."""

    def __init__(self) -> None:
        self._database = listening_connection()

    def wait(self, timeout: float) -> None:
        try:
            if self._database.connection is None:
                # Return at once: events may have come before the connection listened.
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
            cursor.execute(f"LISTEN {NOTIFIED}")


def listening_connection() -> BaseDatabaseWrapper:
    """A new one, not open yet; past a pooler, through which LISTEN hears nothing."""
    database = connections["default"].copy("default")
    database.settings_dict.update(settings.PARLEY_DIRECT_DATABASE or {})
    return database


class RedisChannel:
    """Subscribes to a channel of Redis."""

    def __init__(self) -> None:
        self._subscription: PubSub | None = None

    def wait(self, timeout: float) -> None:
        try:
            if self._subscription is None:
                self._subscription = PubSub(
                    redis_pool(), ignore_subscribe_messages=True
                )
                self._subscription.subscribe(redis_channel())
                return
            deadline = time.monotonic() + timeout
            while (left := deadline - time.monotonic()) > 0:
                if self._subscription.get_message(timeout=left) is not None:
                    break
            # Drop further wake-ups that have arrived: one stands for all.
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


def redis_pool() -> ConnectionPool:
    return ConnectionPool.from_url(
        settings.PARLEY_REDIS_URL,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        # No retries: the caller is a writer that must not wait.
        retry=Retry(NoBackoff(), 0),
    )


def redis_channel() -> str:
    """The name of this installation's channel: several may share a Redis."""
    return f"parley:{connection.settings_dict['NAME']}:events"


def _lost(error: Exception) -> None:
    logger.warning(
        "no wake-ups for now, polling once a second instead: %s", type(error).__name__
    )
