"""A fair write lock for SQLite, over all threads and processes that use a database file.

It is an flock on the file `…-turn` beside the database. A second flock, on `…-queue`,
is the queue: only its holder waits for the first. So a writer that has just released
the lock queues behind the one that waits, and cannot starve it. The kernel releases the
locks of a process when it ends, in whatever way.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

# Polling intervals. The first in the queue polls often, since write transactions are
# short; others poll less often.
_NEXT_ASKS_EVERY: Final = 0.0002
_QUEUE_ASKS_EVERY: Final = 0.001


class WriteLock:
    """The write lock of one connection, held from before a transaction until after it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: int | None = None

    def acquire(self, *, timeout: float) -> None:
        """Wait for the lock, up to `timeout` seconds.

        Raises:
            TimeoutError: other writers held it all the time.
        """
        deadline = time.monotonic() + timeout
        queue = self._lock("queue", deadline, _QUEUE_ASKS_EVERY)
        try:
            self._held = self._lock("turn", deadline, _NEXT_ASKS_EVERY)
        # Release the queue, whether or not the lock was acquired.
        finally:
            os.close(queue)

    def release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _lock(self, name: str, deadline: float, interval: float) -> int:
        """Lock a file, and return it open; closing it releases the lock."""
        file = self._opened(self._database.with_name(f"{self._database.name}-{name}"))
        while not _locked(file):
            if time.monotonic() >= deadline:
                os.close(file)
                raise TimeoutError
            time.sleep(interval)
        return file

    def _opened(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return self._made(path)

    def _made(self, path: Path) -> int:
        """Create a lock file with the database's owner and mode, as SQLite does with its
        own files.
        """
        like = self._database.stat()
        file = os.open(path, os.O_RDONLY | os.O_CREAT, like.st_mode & 0o666)
        if os.geteuid() == 0:
            os.fchown(file, like.st_uid, like.st_gid)
        return file


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
