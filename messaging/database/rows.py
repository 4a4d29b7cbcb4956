"""Deletes rows by one statement, or in batches if their number has no bound.

Each batch is one transaction, so that other writers get a turn in between: SQLite has
one writer at a time, and on PostgreSQL a row is locked until the end of what wrote it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

from django.db.models import Model, QuerySet

# Rows that one transaction changes: fewer than the parameters that any build of SQLite
# accepts, and so few that other writers wait only some milliseconds.
BATCH_SIZE: Final = 500

T = TypeVar("T")
AnyModel = TypeVar("AnyModel", bound=Model)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items; the iterable is read one list at a time."""
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def require_no_slice(rows: QuerySet[AnyModel]) -> None:
    """Refuse a slice to a statement that would ignore its limit, and so write all rows.

    Raises:
        TypeError
    """
    if rows.query.is_sliced:
        raise TypeError("A slice of rows is neither updated nor deleted.")


def erase_rows(rows: QuerySet[AnyModel]) -> int:
    """Delete rows by one statement, without signals and cascades; return their number.

    Raises:
        TypeError: the rows are a slice.
    """
    require_no_slice(rows)
    return rows._raw_delete(rows.db)


def erase_in_batches(rows: QuerySet[AnyModel]) -> int:
    """`erase_rows` in transactions of `BATCH_SIZE` rows; call it outside of a transaction."""
    count = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH_SIZE]):
        count += erase_rows(rows.filter(pk__in=keys))
    return count
