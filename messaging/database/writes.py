"""Updates that are compiled once, and inserts of many rows by one statement.

Only for messaging/changes: these functions do not check that a `Change` holds the
locks.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Final, Generic, Literal, ParamSpec, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import AutoField, Field, Model, QuerySet
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.query import Query

from messaging.database.compiled import built
from messaging.database.parameters import Binding, name_of, parameters_of
from messaging.database.rows import batches, require_no_slice

P = ParamSpec("P")
M = TypeVar("M", bound=Model)


class CompiledUpdate(Generic[P, M]):
    """An update: the rows to change, and their new values as `QuerySet.update()` takes them."""

    def __init__(
        self, build: Callable[P, tuple[QuerySet[M], Mapping[str, object]]]
    ) -> None:
        self.build: Final = build
        self._parameters: Final = parameters_of(build)
        self._compiled: dict[str, tuple[str, Binding]] = {}

    def run(self, *_: P.args, **given: P.kwargs) -> None:
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor not in self._compiled:
            self._compiled[database.vendor] = self._compile(database)
        sql, binding = self._compiled[database.vendor]
        with _writing(database) as cursor:
            cursor.execute(sql, binding.bound(given, database))

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
    with _writing(database) as cursor:
        cursor.execute(sql, places)
        for value, count in cursor:
            counts[value] += count
    return counts


Ids = Literal["unread", "given", "returned"]


def insert_rows(model: type[M], instances: Iterable[M], *, ids: Ids = "unread") -> None:
    """Insert rows without signals, with the ids they have, or the database's.

    With `returned`, the instances get their ids, which ascend in their order. It takes
    half as long as `bulk_create()`, while other writers wait. It requires a transaction,
    since many rows take several statements.

    Raises:
        TypeError: the model has a column that the database fills in, or whose SQL is
            more than a placeholder.
    """
    database = connections[DEFAULT_DB_ALIAS]
    rows = [*instances]
    if not rows:
        return
    columns = _columns(model, has_ids=ids == "given")
    fields = [column.field for column in columns]
    # Look the fields up once, not for each of a thousand rows.
    steps = [(column.value_of, column.field.get_db_prep_save) for column in columns]
    with _writing(database) as cursor:
        for batch in batches(rows, database.ops.bulk_batch_size(fields, rows)):
            values = [
                prepared(value_of(row), database)
                for row in batch
                for value_of, prepared in steps
            ]
            statement = _insert(model, fields, len(batch), database)
            if ids != "returned":
                cursor.execute(statement, values)
                continue
            cursor.execute(f"{statement} RETURNING {_key(model, database)}", values)
            returned = sorted(key for (key,) in cursor.fetchall())
            for row, key in zip(batch, returned, strict=True):
                row.pk = key


@contextmanager
def _writing(database: BaseDatabaseWrapper) -> Iterator[CursorWrapper]:
    """A cursor whose failure makes the transaction fail, as it does for the ORM's writes.

    PostgreSQL does so by itself; SQLite would go on if the error was caught.
    """
    with (
        transaction.mark_for_rollback_on_error(using=database.alias),
        database.cursor() as cursor,
    ):
        yield cursor


@dataclass(frozen=True, slots=True)
class _Column:
    field: "Field[object, object]"
    value_of: Callable[[Model], object]


def _key(model: type[Model], database: BaseDatabaseWrapper) -> str:
    return database.ops.quote_name(str(model._meta.pk.column))


@cache
def _columns(model: type[Model], *, has_ids: bool) -> Sequence[_Column]:
    if model._meta.parents:
        raise TypeError(f"{model.__name__} has more than one table.")
    fields = [
        field
        for field in model._meta.concrete_fields
        if not ((isinstance(field, AutoField) and not has_ids) or field.generated)
    ]
    for field in fields:
        if field.has_db_default() or hasattr(field, "get_placeholder"):
            raise TypeError(
                f"{field} is for bulk_create(): it takes more than a value."
            )
    return [_Column(field, _reader(field)) for field in fields]


def _reader(field: "Field[object, object]") -> Callable[[Model], object]:
    """A function for a field's `pre_save()`: it reads the attribute, unless the field
    overrides it.
    """
    if type(field).pre_save is Field.pre_save:
        return attrgetter(field.attname)
    return partial(field.pre_save, add=True)


def _insert(
    model: type[Model],
    fields: Sequence["Field[object, object]"],
    rows: int,
    database: BaseDatabaseWrapper,
) -> str:
    operations = database.ops
    columns = ", ".join(operations.quote_name(str(field.column)) for field in fields)
    table = operations.quote_name(model._meta.db_table)
    values = operations.bulk_insert_sql(
        fields,
        [["%s"] * len(fields)] * rows,  # type: ignore[list-item]  # as it is called
    )
    return f"{operations.insert_statement()} {table} ({columns}) {values}"
