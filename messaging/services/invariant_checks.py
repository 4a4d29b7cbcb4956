"""What a check of an invariant is: how it finds faulty rows, and repairs them.

A check is one query that finds the rows which break an invariant. It sees one snapshot,
so that it can run on a database in use. Only folded text, which only Python can compare,
is checked in batches. Derived values are recomputed under their conversation's lock;
lost values are only reported.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db.models import Model, QuerySet

from messaging.changes import Change, open_change
from messaging.database import BATCH_SIZE
from messaging.ids import MAX_ID
from messaging.models import Conversation

# A finding lists at most so many ids: there may be millions of rows.
LISTED_IDS: Final = 20
# Conversations that one transaction locks and repairs.
_BATCH: Final = 100

Row = TypeVar("Row", bound=Model)
# Annotations quote it: the class is not generic at runtime.
_Fix = Callable[[QuerySet[Row], Change], object]


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows that break an invariant: their model, their number, and the first ids."""

    promise: str
    model: str
    count: int
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Repair:
    """Rows that broke an invariant and were repaired."""

    promise: str
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class _RepairedBatch:
    """The number of rows of a batch that were repaired, and the lowest id in the batch."""

    repaired: int
    lowest: int


@dataclass(frozen=True, slots=True)
class Check(Generic[Row]):
    """An invariant, the query for rows that break it, and the repair, if there is one.

    `conversation` leads from a faulty row to the conversation to lock.
    """

    promise: str
    faults: Callable[[], QuerySet[Row]]
    conversation: str
    fix: "_Fix[Row] | None" = None

    def find(self) -> Finding | None:
        faults = self.faults()
        ids = list(faults.order_by("pk").values_list("pk", flat=True)[:LISTED_IDS])
        if not ids:
            return None
        # Count only if there may be more rows than are listed.
        count = faults.count() if len(ids) == LISTED_IDS else len(ids)
        return Finding(self.promise, self._model, count, ids)

    def repair(self) -> Repair | None:
        if self.fix is None:
            return None
        count, last = 0, 0
        while ids := self._conversations_after(last):
            count += self._fix_in(ids, self.fix)
            last = ids[-1]
        return Repair(self.promise, self._model, count) if count else None

    @property
    def _model(self) -> str:
        return str(self.faults().model._meta.verbose_name)

    def _conversations_after(self, last: int) -> list[int]:
        faults = self.faults().filter(**{f"{self.conversation}__gt": last})
        found = faults.order_by(self.conversation).values_list(
            self.conversation, flat=True
        )
        return list(found.distinct()[:_BATCH])

    def _fix_in(self, ids: Sequence[int], fix: "_Fix[Row]") -> int:
        count, below = 0, MAX_ID
        while batch := self._fix_batch(ids, fix, below):
            count += batch.repaired
            below = batch.lowest
        return count

    def _fix_batch(
        self, ids: Sequence[int], fix: "_Fix[Row]", below: int
    ) -> _RepairedBatch | None:
        """Repair faulty rows with ids below a bound; None if there are none.

        The query runs again under the lock, since the rows may be right by then. Later
        rows come first, so that replies are erased before their parents.
        """
        with open_change() as change:
            locked = change.lock_all(Conversation.objects.filter(pk__in=ids))
            faults = self.faults().filter(**{f"{self.conversation}__in": locked})
            latest = faults.filter(pk__lt=below).order_by("-pk")
            batch = list(latest.values_list("pk", flat=True)[:BATCH_SIZE])
            if not batch:
                return None
            faulty = self.faults().filter(pk__in=batch)
            fix(faulty, change)
            # A repair may leave some rows as they are, such as groups without
            # participants.
            repaired = len(batch) - faulty.count()
            if repaired:
                change.renew(*locked)
        return _RepairedBatch(repaired, lowest=batch[-1])


@dataclass(frozen=True, slots=True)
class FoldedCheck(Generic[Row]):
    """An invariant of folded text. It reads all rows, since only Python can fold.

    A faulty row is locked and checked again before it is repaired.
    """

    promise: str
    rows: Callable[[], QuerySet[Row]]
    faults: Callable[[QuerySet[Row]], Iterator[Row]]
    # Locks the row of an id, and returns it as a queryset.
    lock: Callable[[int, Change], QuerySet[Row]]
    fix: Callable[[Iterable[Row], Change], object]

    def find(self) -> Finding | None:
        count = 0
        ids: list[int] = []
        for row in self.faults(self.rows()):
            count += 1
            if len(ids) < LISTED_IDS:
                ids.append(row.pk)
        return Finding(self.promise, self._model, count, ids) if count else None

    def repair(self) -> Repair | None:
        count = sum(self._fix_one(row) for row in self.faults(self.rows()))
        return Repair(self.promise, self._model, count) if count else None

    @property
    def _model(self) -> str:
        return str(self.rows().model._meta.verbose_name)

    def _fix_one(self, row: Row) -> int:
        with open_change() as change:
            still = list(self.faults(self.lock(row.pk, change)))
            self.fix(still, change)
        return len(still)
