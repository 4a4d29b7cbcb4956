"""Updates that are compiled once, and writes that tell what they wrote.

Only for messaging/changes: these functions do not check that a `Change` holds the
locks.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.query import Query

from messaging.database.compiled import built
from messaging.database.parameters import Bindable, Binding, name_of, parameters_of
from messaging.database.rows import require_no_slice

P = ParamSpec("P")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its values, which writes rows of the default database."""

    sql: str
    values: Sequence[Bindable | list[Bindable]]

    def run(self) -> None:
        with writing(connections[DEFAULT_DB_ALIAS]) as cursor:
            cursor.execute(self.sql, self.values)


class CompiledUpdate(Generic[P, M]):
    """An update: the rows to change, and their new values as `QuerySet.update()` takes them."""

    def __init__(
        self, build: Callable[P, tuple[QuerySet[M], Mapping[str, object]]]
    ) -> None:
        self.build: Final = build
        self._parameters: Final = parameters_of(build)
        self._compiled: dict[str, tuple[str, Binding]] = {}

    def run(self, *_: P.args, **given: P.kwargs) -> None:
        self.bound(*_, **given).run()

    def bound(self, *_: P.args, **given: P.kwargs) -> Statement:
        """The update with these values, to be run by itself or as a part of another one."""
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor not in self._compiled:
            self._compiled[database.vendor] = self._compile(database)
        sql, binding = self._compiled[database.vendor]
        return Statement(sql, binding.bound(given, database))

    def _compile(self, database: BaseDatabaseWrapper) -> tuple[str, Binding]:
        rows, values = built(self.build, self._parameters)
        query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
        query.add_update_values(dict(values))
        sql, places = query.get_compiler(connection=database).as_sql()
        return sql, Binding(name_of(self.build), self._parameters, places)


def returned_by_updating(
    rows: QuerySet[M], values: Mapping[str, object], *, returning: str
) -> Counter[int]:
    """Update rows as `QuerySet.update()` does, and count them by what SQL returns of each.

    Raises:
        TypeError: the rows are a slice.
    """
    require_no_slice(rows)
    query = cast(UpdateQuery, rows.query.chain(UpdateQuery))
    query.add_update_values(dict(values))
    # They would be in subqueries, too.
    query.annotations = {}
    return _returned(query, rows.db, returning)


def returned_by_erasing(rows: QuerySet[M], *, returning: str) -> Counter[int]:
    """Delete rows as `_raw_delete()` does, and count them by what SQL returns of each.

    Raises:
        TypeError: the rows are a slice.
    """
    require_no_slice(rows)
    query = rows.query.clone()
    query.__class__ = DeleteQuery
    return _returned(query, rows.db, returning)


def _returned(query: Query, alias: str, returning: str) -> Counter[int]:
    database = connections[alias]
    try:
        sql, places = query.get_compiler(alias).as_sql()
    except EmptyResultSet:
        return Counter()
    sql = f"{sql} RETURNING {returning} AS value"
    if database.vendor == "postgresql":
        # PostgreSQL sends all rows before the first can be read: count them there.
        sql = f"WITH written AS ({sql}) SELECT value, count(*) FROM written GROUP BY 1"  # noqa: S608  # SQL of the ORM
    else:
        # SQLite has no such expression, and hands out one row after the other.
        sql = f"{sql}, 1"
    counts: Counter[int] = Counter()
    with writing(database) as cursor:
        cursor.execute(sql, places)
        for value, count in cursor:
            counts[value] += count
    return counts


@contextmanager
def writing(database: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """A cursor whose failure makes the transaction fail, as it does for the ORM's writes.

    PostgreSQL does so by itself; SQLite would go on if the error was caught.
    """
    with (
        transaction.mark_for_rollback_on_error(using=database.alias),
        database.cursor() as cursor,
    ):
        yield cursor
