"""Numbers events once they are committed, so that readers see them in one order.

On SQLite one transaction writes at a time, and gives its events their positions at
once. On PostgreSQL that would make all writers wait for one another until each has
committed. There, rows are written without a position. After the commit, a thread of the
writer's process gives positions to all that are committed, by ascending id, and then
wakes the processes that wait for events.

Why the order of ids is right: who has seen what another wrote, or waited for its lock,
took the id of an event after the other had committed. So its id is higher, and wherever
it is visible, the other is visible too, and is numbered before it. Of two events that
are written at the same time without waiting for one another, either may be first.

Any number of threads may number at a time: they take turns by the lock of the clock, and
whoever comes second finds nothing left. If a process is killed between its commit and
this, the next one that writes, or reads the log, does it. See decision 0040.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

import psycopg
from django.db import Error, connection, transaction
from typing_extensions import override

logger = logging.getLogger(__name__)

# Rows that one transaction numbers.
_BATCH: Final = 1000
_PAUSE_SECONDS: Final = 1.0
# From the start of one turn to the next one: what is committed meanwhile is numbered
# together, and wakes everybody once. Nobody waits for it who writes seldom.
_GATHER_SECONDS: Final = 0.01
# How long a process that ends waits: the next one that writes or reads does the rest.
_PATIENCE_SECONDS: Final = 5.0
# A thread that had nothing to do for so long closes its connection.
_IDLE_SECONDS: Final = 60.0

# The lock, and then a statement of its own: only so it sees what was numbered last. Both
# are one trip, and one transaction unless there is one.
_NUMBER: Final = f"""
SELECT clock FROM messaging_installation FOR UPDATE;
WITH waiting AS (
    SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
        SELECT id FROM messaging_event WHERE position IS NULL ORDER BY id LIMIT {_BATCH}
    ) AS oldest
), numbered AS (
    UPDATE messaging_event event
    SET position = (SELECT clock FROM messaging_installation) + waiting.place
    FROM waiting WHERE event.id = waiting.id RETURNING event.id
), counted AS (SELECT count(*) AS number FROM numbered)
UPDATE messaging_installation SET clock = clock + counted.number
FROM counted RETURNING counted.number
"""  # noqa: S608  # a number of ours


def number_events() -> None:
    """Give positions to all committed events that have none, in batches.

    Within a transaction, a failure makes that fail.
    """
    while _number_batch() == _BATCH:
        pass


def _number_batch() -> int:
    with (
        transaction.mark_for_rollback_on_error(using=connection.alias),
        connection.wrap_database_errors,
        connection.cursor() as cursor,
    ):
        # Two statements cannot be prepared, as Django's cursor would have them.
        driver: psycopg.Cursor[tuple[int]] = cursor.cursor
        driver.execute(_NUMBER, prepare=False)
        driver.nextset()
        row = driver.fetchone()
    return row[0] if row else 0


class Numberer(threading.Thread):
    """The thread of a process that numbers what the process has committed, and tells of it.

    Until a turn has taken `gather_seconds`, further commits wait for the next one together.
    """

    def __init__(
        self, announce: Callable[[], None], *, gather_seconds: float = _GATHER_SECONDS
    ) -> None:
        super().__init__(name="parley-numbering", daemon=True)
        self._announce = announce
        self._gather_seconds = gather_seconds
        self._wanted = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        self._wanted.set()

    def stop(self) -> None:
        """Wait until all that was committed before is done; or a few seconds, if it fails."""
        self._stopping.set()
        self._wanted.set()
        self.join(_PATIENCE_SECONDS)

    @override
    def run(self) -> None:
        stopping = False
        while not stopping:
            self._wait()
            next_turn = monotonic() + self._gather_seconds
            self._wanted.clear()
            # After that: what was committed before `stop` has its turn.
            stopping = self._stopping.is_set()
            self._number()
            self._stopping.wait(max(0.0, next_turn - monotonic()))
        connection.close()

    def _wait(self) -> None:
        if not self._wanted.wait(_IDLE_SECONDS):
            connection.close()
            self._wanted.wait()

    def _number(self) -> None:
        try:
            number_events()
            self._announce()
        except Exception as error:
            # The database may be restarting. Nothing is lost: the rows are there. Whatever
            # it is, it is tried again: nobody else would wake those who wait.
            unexpected = not isinstance(error, Error)
            logger.warning(
                "events are not numbered: %s", type(error).__name__, exc_info=unexpected
            )
            connection.close()
            self._stopping.wait(_PAUSE_SECONDS)
            self._wanted.set()
