"""The lock that every write needs, held by a test."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from config.sqlite.write_queue import WriteLock

_TIMEOUT = 60


@contextmanager
def hold_writers(environment: Mapping[str, str]) -> Iterator[None]:
    """Keep the servers of this environment from writing to their database."""
    url = environment["DATABASE_URL"]
    if url.startswith("sqlite"):
        with _hold_write_lock(Path(url.removeprefix("sqlite:///"))):
            yield
    else:
        with psycopg.connect(url) as other:
            # Into which each transaction that writes a message inserts.
            other.execute("LOCK TABLE messaging_event IN EXCLUSIVE MODE")
            yield


@contextmanager
def _hold_write_lock(database: Path) -> Iterator[None]:
    write_lock = WriteLock(database)
    write_lock.acquire(timeout=_TIMEOUT)
    try:
        with closing(sqlite3.connect(database, timeout=_TIMEOUT)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()
    finally:
        write_lock.release()
