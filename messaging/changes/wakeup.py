"""Sending wake-ups to the processes that wait for events: see messaging/wakeups.py."""

import atexit
import logging
import time
from threading import Lock
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from redis import Redis, RedisError

from messaging.changes.numbering import Numberer
from messaging.wakeups import NOTIFIED, redis_channel, redis_pool

logger = logging.getLogger(__name__)

# After a failure, Redis is not asked for this many seconds.
_REDIS_PAUSE_SECONDS: Final = 5.0


def wake_processes() -> None:
    """Wake all waiting processes once the current transaction is committed, and its events
    are numbered.
    """
    # On SQLite, the waiting processes watch the database file instead.
    if settings.PARLEY_WAKEUPS != "sqlite":
        transaction.on_commit(_numbering.wake, robust=True)


def _announce() -> None:
    match settings.PARLEY_WAKEUPS:
        case "postgres":
            # Outside of the writers' transactions: of those that notify, one commits at
            # a time.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [NOTIFIED])
        case "redis":
            _publisher.publish()
        case "sqlite":
            pass


class _Numbering:
    """The thread of this process, which its first write starts; after a fork there is none."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Numberer | None = None

    def wake(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = Numberer(_announce)
                thread.start()
                self._thread = thread
            self._thread.wake()

    def finish(self) -> None:
        with self._lock:
            if self._thread is not None:
                self._thread.stop()
            self._thread = None


_numbering: Final = _Numbering()


@atexit.register
def finish_numbering() -> None:
    """Wait until all that this process has committed is numbered, and told of.

    A command often ends right after its last write. A worker of the server runs no such
    handlers: what it leaves, the next process does that writes or reads.
    """
    _numbering.finish()


class _Publisher:
    """Publishes wake-ups to Redis.

    While Redis is down, wake-ups are lost, and events are delivered up to a second late.
    """

    def __init__(self) -> None:
        self._client: Redis | None = None
        self._silent_until = 0.0

    def publish(self) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._client = self._client or Redis(connection_pool=redis_pool())
            self._client.publish(redis_channel(), b"")
        except RedisError as error:
            self._silent_until = time.monotonic() + _REDIS_PAUSE_SECONDS
            logger.warning(
                "wake-ups are not sent, so that events are delivered late: %s", error
            )


_publisher: Final = _Publisher()
