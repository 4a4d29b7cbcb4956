"""Turns to write, between all threads and processes that share a database file.

A turn is a lock on a file beside the database. Whoever wants it waits at its head
of a queue that is a lock too: who has just written has to queue again behind the one
who waits, and cannot have the next turn as well. The kernel releases the locks of a
process that is gone, however it went.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

# A turn is short: little is lost between two, and waiting costs little.
_NEXT_ASKS_EVERY: Final = 0.0002
_QUEUE_ASKS_EVERY: Final = 0.001


class WriteTurn:
    """The turn of one connection: taken before a transaction, given back after it."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: int | None = None

    def take(self, *, patience: float) -> None:
        """Wait for the turn, for so many seconds.

        Raises:
            TimeoutError: others had it all the time.
        """
        deadline = time.monotonic() + patience
        queue = self._lock("queue", deadline, _QUEUE_ASKS_EVERY)
        try:
            self._held = self._lock("turn", deadline, _NEXT_ASKS_EVERY)
        finally:
            os.close(queue)

    def give_back(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _lock(self, name: str, deadline: float, interval: float) -> int:
        """The open file whose lock this is: closing it releases the lock."""
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
        """For whoever may use the database, as SQLite does with its own files."""
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
