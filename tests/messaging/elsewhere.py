"""What happens on another connection meanwhile; PostgreSQL has writers side by side."""

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
PATIENCE = 60


def elsewhere(deed: Callable[[], object]) -> threading.Thread:
    """Do it in another thread, and so on another connection."""

    def run() -> None:
        try:
            deed()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextmanager
def looking_on() -> Iterator[CursorWrapper]:
    """A connection beside a transaction, which would see each thing as it was first."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            yield cursor
    finally:
        other.close()


def await_a_waiting_writer(cursor: CursorWrapper) -> None:
    """Until the database says that a session waits for a lock."""
    deadline = time.monotonic() + PATIENCE
    waiting = 0
    while not waiting:
        assert time.monotonic() < deadline, "nobody waits"
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        (waiting,) = cursor.fetchone()
