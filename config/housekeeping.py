"""Housekeeping: a background thread in each server process, which removes deleted data.

No request waits for it. It logs its failures.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final, Protocol

from django.db import connection, connections
from typing_extensions import override

from config.postgresql.vacuuming import Vacuuming
from config.sqlite.checkpoints import LogTruncation
from messaging.conversation_memory import sweep_memories

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 15.0


class Chore(Protocol):
    def look(self) -> None:
        """Do what is due; the housekeeper calls this once a second."""

    def finish(self) -> None:
        """Do what must be done before the process ends."""


class Housekeeper(threading.Thread):
    """Calls each chore once a second, and once more before the process ends."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        super().__init__(name="parley-housekeeper", daemon=True)
        self._chores = chores
        self._stopping = threading.Event()

    @override
    def run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            for chore in self._chores:
                _try(chore.look)
        for chore in self._chores:
            _try(chore.finish)
        connections.close_all()

    def stop(self) -> None:
        """Finish the chores. Call it after the last request, so that its deletions are
        included.
        """
        self._stopping.set()
        self.join(_STOP_SECONDS)


def start_housekeeping() -> None:
    """Start the thread of this process; it stops when the process ends.

    It uses multiprocessing's `Finalize`, since granian's workers are multiprocessing's
    processes, which run no `atexit` handlers.
    """
    housekeeper = Housekeeper(_chores())
    housekeeper.start()
    Finalize(None, housekeeper.stop, exitpriority=0)


class MemorySweep:
    """Removes from the memory of this process what has expired.

    A `LocMemCache`, which has the pages, removes an expired entry only when that entry
    is requested.
    """

    def look(self) -> None:
        sweep_memories()

    def finish(self) -> None:
        """Does nothing: the memory is freed with the process."""


def _chores() -> list[Chore]:
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"])
        return [LogTruncation(database), MemorySweep()]
    return [Vacuuming(), MemorySweep()]


def _try(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        # The thread must survive: otherwise no chore would be done any more.
        logger.exception("A chore was not done.")
