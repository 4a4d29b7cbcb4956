"""Sending wake-ups to the processes that wait for events: see messaging/wakeups.py."""

import logging
import time
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from redis import Redis, RedisError

from messaging.wakeups import NOTIFIED, redis_channel, redis_pool

logger = logging.getLogger(__name__)

# After a failure, Redis is not asked for this many seconds: each attempt delays a
# writer.
_REDIS_PAUSE_SECONDS: Final = 5.0


def wake_processes() -> None:
    """Wake all waiting processes once the current transaction commits."""
    match settings.PARLEY_WAKEUPS:
        case "postgres":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, '')", [NOTIFIED])
        case "redis":
            transaction.on_commit(_publisher.publish, robust=True)
        case "sqlite":
            # On SQLite, the waiting processes watch the database file instead.
            pass


class _Publisher:
    """Publishes wake-ups to Redis.

    While Redis is down, wake-ups are lost, and one writer per pause waits for the
    timeout.
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
