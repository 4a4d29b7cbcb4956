"""Checkpoints: truncate SQLite's write-ahead log (WAL) soon after writes; see decision 0020.

The log keeps pages from before a deletion. SQLite overwrites it only after it has grown
long, which on a quiet server never happens, and a stopped server leaves it behind.
"""

import logging
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from config.sqlite.write_queue import WriteLock

logger = logging.getLogger(__name__)

# A truncated log has to grow again, which is half the cost of a commit. So it is
# truncated when writes pause (debounce), and under load at least every minute.
_RESTING_SECONDS: Final = 1.5
_EVERY_SECONDS: Final = 60.0
# A long read blocks the truncation, and each attempt delays writers: retry with
# backoff.
_RETRY_SECONDS: Final = 1.0
_RETRY_AT_MOST: Final = 30.0
_PATIENCE_SECONDS: Final = 0.03
_LAST_PATIENCE_SECONDS: Final = 5.0


class LogTruncation:
    """A chore of every server process; the first process to do it does it for all."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log = database.with_name(f"{database.name}-wal")
        self._pause = _RETRY_SECONDS
        self._asked_again_at = 0.0

    def look(self) -> None:
        if time.monotonic() < self._asked_again_at or not self._is_due():
            return
        if self._truncate(_PATIENCE_SECONDS):
            self._pause = _RETRY_SECONDS
        else:
            self._asked_again_at = time.monotonic() + self._pause
            self._pause = min(2 * self._pause, _RETRY_AT_MOST)

    def finish(self) -> None:
        if _size(self._log):
            self._truncate(_LAST_PATIENCE_SECONDS)

    def _is_due(self) -> bool:
        return _size(self._log) > 0 and (
            _age(self._log) > _RESTING_SECONDS
            or _age(_mark(self._database)) > _EVERY_SECONDS
        )

    def _truncate(self, timeout: float) -> bool:
        try:
            return truncate_log(self._database, timeout=timeout)
        except (OSError, sqlite3.Error) as error:
            logger.warning("the write-ahead log was not emptied: %s", error)
            return False


def truncate_log(database: Path, *, timeout: float) -> bool:
    """Move all committed pages into the database's file, and truncate the log.

    Returns:
        Whether it was truncated: not if somebody read from the log for longer than
        `timeout` seconds.

    Raises:
        TimeoutError: other writers held the lock all the time.
    """
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(
        sqlite3.connect(address, uri=True, timeout=timeout, isolation_level=None)
    ) as connection:
        # Open the log, which a checkpoint alone does not.
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        # Do most of the work while others may still write.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        write_lock = WriteLock(database)
        write_lock.acquire(timeout=1 + timeout)
        try:
            busy: int
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            write_lock.release()
    if not busy:
        # Tell other processes that it was done.
        with suppress(OSError):
            os.utime(_mark(database))
    return not busy


def _mark(database: Path) -> Path:
    """The file of the write lock, whose modification time is that of the last truncation."""
    return database.with_name(f"{database.name}-turn")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _age(file: Path) -> float:
    """Seconds since the file was written; infinite if there is no such file."""
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
