"""Inserts of many rows by one statement, and of rows that carry the ids of others.

Only for messaging/changes: these functions do not check that a `Change` holds the
locks.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from operator import attrgetter
from typing import Final, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Field, Model

from messaging.database.parameters import Bindable
from messaging.database.rows import batches
from messaging.database.writes import Statement, writing

M = TypeVar("M", bound=Model)


def insert_rows(
    model: type[M], instances: Iterable[M], *, with_ids: bool = False
) -> None:
    """Insert rows without signals, `with_ids` with the ids that they have.

    It takes half as long as `bulk_create()`, while other writers wait. It requires a
    transaction, since many rows take several statements.

    Raises:
        TypeError: the model has a column that the database fills in, or whose SQL is
            more than a placeholder.
    """
    database = connections[DEFAULT_DB_ALIAS]
    rows = [*instances]
    if not rows:
        return
    columns = _columns(model, with_ids=with_ids)
    fields = [column.field for column in columns]
    with writing(database) as cursor:
        for batch in batches(rows, database.ops.bulk_batch_size(fields, rows)):
            insert = _insert(model, columns, batch, database)
            cursor.execute(insert.sql, insert.values)


@dataclass(frozen=True, slots=True)
class Linked:
    """Rows of one model, whose `column` is to have the id of one of `insert_linked`'s rows."""

    to: Model
    column: str
    rows: Sequence[Model]


def insert_linked(
    rows: Sequence[Model],
    links: Sequence[Linked],
    *,
    besides: Iterable[Statement] = (),
) -> None:
    """Insert rows, others that carry their ids, and update some, by one statement.

    PostgreSQL only: each statement is a trip to it, during which locks are held. `rows`
    get their ids, which ascend in their order, and so do the columns of what is linked.
    No row may be written by two parts.
    """
    database = connections[DEFAULT_DB_ALIAS]
    first = _insert(
        type(rows[0]), _columns(type(rows[0]), with_ids=False), rows, database
    )
    key = _key(type(rows[0]), database)
    parts = [
        *((f"updated{number}", statement) for number, statement in enumerate(besides)),
        ("inserted", Statement(f"{first.sql} RETURNING {key} AS id", first.values)),
        ("numbered", _NUMBERED),
        *(
            (f"linked{number}", _insert_group(*group, database))
            for number, group in enumerate(_grouped(links, rows).items())
        ),
    ]
    together = ", ".join(f"{name} AS ({part.sql})" for name, part in parts)
    values = [value for _, part in parts for value in part.values]
    with writing(database) as cursor:
        cursor.execute(f"WITH {together} {_IDS}", values)
        returned = cursor.fetchall()
    for row, (key_of_row,) in zip(rows, returned, strict=True):
        row.pk = key_of_row
    for link in links:
        for row in link.rows:
            setattr(row, link.column, link.to.pk)


# By model and column: the rows, each with the number of the row whose id it carries.
_Groups = Mapping[tuple[type[Model], str], Sequence[tuple[Model, int]]]


def _grouped(links: Iterable[Linked], rows: Iterable[Model]) -> _Groups:
    # By identity: rows without ids are equal to nothing.
    numbers = {id(row): number for number, row in enumerate(rows, 1)}
    groups: dict[tuple[type[Model], str], list[tuple[Model, int]]] = defaultdict(list)
    for link in links:
        number = numbers[id(link.to)]
        for row in link.rows:
            groups[type(row), link.column].append((row, number))
    return groups


_IDS: Final = "SELECT id FROM numbered ORDER BY number"
_NUMBERED: Final = Statement(
    "SELECT id, row_number() OVER (ORDER BY id) AS number FROM inserted", ()
)


def _insert_group(
    of: tuple[type[Model], str],
    group: Sequence[tuple[Model, int]],
    database: BaseDatabaseWrapper,
) -> Statement:
    model, attribute = of
    columns = _columns(model, with_ids=False)
    given = [column for column in columns if column.field.attname != attribute]
    (own,) = (column for column in columns if column.field.attname == attribute)
    arrays, values = _arrays(given, [row for row, _ in group], database)
    names = _names(given, database)
    table = database.ops.quote_name(model._meta.db_table)
    return Statement(
        f"INSERT INTO {table} ({names}, {_names([own], database)})"  # noqa: S608  # names of models
        f" SELECT {names}, numbered.id FROM unnest({arrays}, %s::bigint[])"
        f" AS given ({names}, number) JOIN numbered USING (number)",
        [*values, [number for _, number in group]],
    )


@dataclass(frozen=True, slots=True)
class _Column:
    field: "Field[object, object]"
    value_of: Callable[[Model], object]

    def values(
        self, rows: Iterable[Model], database: BaseDatabaseWrapper
    ) -> list[Bindable]:
        prepared, value_of = self.field.get_db_prep_save, self.value_of
        return [prepared(value_of(row), database) for row in rows]


def _key(model: type[Model], database: BaseDatabaseWrapper) -> str:
    return database.ops.quote_name(str(model._meta.pk.column))


@cache
def _columns(model: type[Model], *, with_ids: bool) -> Sequence[_Column]:
    if model._meta.parents:
        raise TypeError(f"{model.__name__} has more than one table.")
    fields = [
        field
        for field in model._meta.concrete_fields
        if not ((isinstance(field, AutoField) and not with_ids) or field.generated)
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


def _names(columns: Iterable[_Column], database: BaseDatabaseWrapper) -> str:
    quoted = database.ops.quote_name
    return ", ".join(quoted(str(column.field.column)) for column in columns)


def _insert(
    model: type[Model],
    columns: Sequence[_Column],
    rows: Sequence[Model],
    database: BaseDatabaseWrapper,
) -> Statement:
    table = database.ops.quote_name(model._meta.db_table)
    into = f"INSERT INTO {table} ({_names(columns, database)})"
    if database.vendor == "postgresql":
        arrays, values = _arrays(columns, rows, database)
        return Statement(f"{into} SELECT * FROM unnest({arrays})", values)  # noqa: S608  # names of models
    # By rows, as the placeholders are.
    by_row = zip(*(column.values(rows, database) for column in columns), strict=True)
    places = ", ".join(["%s"] * len(columns))
    return Statement(
        f"{into} VALUES {', '.join([f'({places})'] * len(rows))}",
        [value for row in by_row for value in row],
    )


def _arrays(
    columns: Sequence[_Column], rows: Sequence[Model], database: BaseDatabaseWrapper
) -> tuple[str, list[list[Bindable]]]:
    """An array for each column: the statement is the same for any number of rows."""
    # Without a length: a cast to one would cut what is longer, instead of refusing it.
    types = (
        str(column.field.db_type(database)).partition("(")[0] for column in columns
    )
    return (
        ", ".join(f"%s::{each}[]" for each in types),
        [column.values(rows, database) for column in columns],
    )
