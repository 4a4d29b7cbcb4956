"""Bounding how long a write waits for SQLite's lock."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def lock_timeout(seconds: float) -> Iterator[None]:
    """In the `with`, writes on SQLite wait at most `seconds` for other writers.

    After that they raise OperationalError. It is for small writes of read requests,
    which must not wait long. On PostgreSQL it changes nothing: writers there wait only
    for single rows.
    """
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    database: sqlite3.Connection = connection.connection
    (usual,) = database.execute("PRAGMA busy_timeout").fetchone()
    # Never longer than usual, which is 0 in threads for reads.
    shorter = min(usual, int(seconds * 1000))
    database.execute(f"PRAGMA busy_timeout = {shorter:d}")
    try:
        yield
    finally:
        database.execute(f"PRAGMA busy_timeout = {usual:d}")
