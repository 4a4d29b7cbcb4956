"""Actions on another connection at the same time; PostgreSQL has concurrent writers."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

only_postgres = pytest.mark.skipif(
    "sqlite" in settings.DATABASES["default"]["ENGINE"],
    reason="SQLite has one writer at a time",
)
TIMEOUT = 60


def in_thread(action: Callable[[], object]) -> threading.Thread:
    """Run an action in another thread, and so on another connection."""

    def run() -> None:
        try:
            action()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def other_connection() -> Iterator[CursorWrapper]:
    """A second connection, since a transaction would not see what others commit."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def wait_for_blocked_writer(cursor: CursorWrapper) -> None:
    """Wait until the database reports a session that waits for a lock."""
    deadline = time.monotonic() + TIMEOUT
    waiting = 0
    while not waiting:
        assert time.monotonic() < deadline, "nobody waits"
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        (waiting,) = cursor.fetchone()
