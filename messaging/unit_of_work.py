"""A unit of work: a transaction that nested blocks join, with one place for its last steps.

`transaction.atomic()` nests by savepoints, and does not tell which block is the
outermost. Here, a nested block gets the unit that is open already.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import Atomic, TransactionManagementError


class UnitOfWork:
    """A transaction, or a savepoint within one, that is under way."""

    def __init__(self, database: BaseDatabaseWrapper, block: Atomic) -> None:
        self.failed = False
        # A `messaging.changes.Change`, typed as object: that package is in a layer
        # above.
        self.change: object = None
        self._at_end: list[Callable[[], None]] = []
        self._database = database
        self._block = block
        self._depth = len(database.savepoint_ids)
        self._marks: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        """Whether the current thread is in this unit, before its end."""
        return _current.unit is self

    def at_end(self, do: Callable[[], None]) -> None:
        """Call this at the end of the transaction, after the outermost block succeeded."""
        self._at_end.append(do)

    def depend_on_savepoints(self) -> None:
        """Make the unit fail at its end if a savepoint that is open now is rolled back.

        For code that leaves steps for the end: these would tell of rows that were
        rolled back.
        """
        if any(self._database.savepoint_ids[self._depth :]):

            def mark() -> None: ...

            # Django drops this callback if the savepoint is rolled back.
            self._database.on_commit(mark)
            self._marks.append(mark)

    def _is_in(self, database: BaseDatabaseWrapper) -> bool:
        """Whether the unit's transaction is the open one of this connection.

        It is not if somebody abandoned the unit without ending it.
        """
        return self._database is database and self._block in database.atomic_blocks

    def _end(self) -> None:
        kept = {entry[1] for entry in self._database.run_on_commit}
        if self.failed or not kept.issuperset(self._marks):
            raise TransactionManagementError("A part of this write failed before.")
        for do in self._at_end:
            do()


class _Current(threading.local):
    unit: UnitOfWork | None = None


_current = _Current()


@contextmanager
def unit_of_work(
    *, using: str | None = None, savepoint: bool = True
) -> Iterator[UnitOfWork]:
    """Begin a unit of work, or join the one of this thread.

    If the unit fails, its writes are rolled back, and a transaction around it goes on.
    If a block that joined fails, the whole unit fails, even if the exception is caught
    on the way: there is no savepoint to return to. `savepoint` is passed to
    `transaction.atomic()`.
    """
    database = transaction.get_connection(using)
    around = _current.unit
    if around is not None and around._is_in(database):
        try:
            yield around
        except BaseException:
            around.failed = True
            raise
        return
    block = transaction.atomic(using=using, savepoint=savepoint)
    with block:
        unit = UnitOfWork(database, block)
        try:
            _current.unit = unit
            yield unit
        finally:
            # The unit of another database, or None.
            _current.unit = around
        unit._end()
