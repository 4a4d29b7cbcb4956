"""Queries that are asked on every request: compiled once, run with other parameters.

Composing and compiling a query costs the ORM several times what the database takes to
answer it, and making instances as much again. A `Statement` keeps what was compiled,
and fills instances in directly, so that no `pre_init` and `post_init` are sent: nobody
here listens.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

import orjson
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    DateTimeField,
    Expression,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
)
from django.db.models.base import ModelState
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override

from messaging.models import Message

M = TypeVar("M", bound=Model)
R = TypeVar("R")

_Row = Sequence[object]
Bindable = str | int | datetime | None


class Parameter(Expression):
    """Stands in a queryset for a value that is given when the statement runs."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @override
    def as_sql(  # type: ignore[override]  # the parameter is not a value yet
        self, compiler: SQLCompiler, connection: object
    ) -> tuple[str, list["Parameter"]]:
        return "%s", [self]


class Ids(Parameter):
    """Any number of ids, for `…__in`; given as a list of integers."""

    def as_sqlite(
        self,
        compiler: SQLCompiler,  # noqa: ARG002  # as Django calls it, here and below
        connection: object,  # noqa: ARG002
    ) -> tuple[str, list[Parameter]]:
        return "SELECT value FROM json_each(%s)", [self]

    def as_postgresql(
        self,
        compiler: SQLCompiler,  # noqa: ARG002
        connection: object,  # noqa: ARG002
    ) -> tuple[str, list[Parameter]]:
        return "SELECT value::bigint FROM json_array_elements_text(%s)", [self]


class Statement(Generic[M, R]):
    """A query of model instances, or of tuples by `values_list()`.

    `build` is called once for each kind of database.
    """

    def __init__(self, build: Callable[[], QuerySet[M, R]]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def all(self, **parameters: object) -> list[R]:
        return self._run("", parameters)

    def page(self, limit: int, **parameters: object) -> list[R]:
        """No more than the first so many rows, in the query's own order."""
        return self._run(f" LIMIT {limit:d}", parameters)

    def first(self, **parameters: object) -> R | None:
        """The only row, or None."""
        rows = self._run("", parameters)
        return rows[0] if rows else None

    def _run(self, limit: str, parameters: Mapping[str, object]) -> list[R]:
        database = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(database.vendor)
        if compiled is None:
            compiled = _Compiled(self._build(), database)
            self._compiled[database.vendor] = compiled
        return cast("list[R]", compiled.run(database, limit, parameters))


class _Counted(Expression):
    """`COUNT(*)` of all rows there are: Django's `Count` would group them."""

    output_field = IntegerField()

    @override
    def as_sql(  # type: ignore[override]  # as in `Parameter`
        self, compiler: SQLCompiler, connection: object
    ) -> tuple[str, list[object]]:
        return "COUNT(*)", []


def number_of(rows: QuerySet[M, R]) -> "Subquery[IntegerField[int, int]]":
    """How many rows a query has."""
    return Subquery(rows.order_by().values_list(_Counted()))


# What a column's value is turned into.
_Convert = Callable[[object], object]
_Converters = Mapping[int, Sequence[_Convert]]


class _Compiled:
    def __init__(self, queryset: QuerySet[M, R], database: BaseDatabaseWrapper) -> None:
        compiler = queryset.query.get_compiler(connection=database)
        self._sql, self._parameters = compiler.as_sql()
        found = compiler.get_converters(
            [expression for expression, _, _ in compiler.select[: compiler.col_count]]
        )
        converters = {
            place: [_bound(convert, expression) for convert in converts]
            for place, (converts, expression) in found.items()
            if not _comes_converted(expression, database)
        }
        self._make_all = (
            _Maker(
                compiler.klass_info,
                compiler.select,
                compiler.annotation_col_map or {},
                converters,
            ).make_all
            # Otherwise `values_list()` was called.
            if queryset.query.default_cols
            else partial(_tuples, converters)
        )

    def run(
        self,
        database: BaseDatabaseWrapper,
        limit: str,
        parameters: Mapping[str, object],
    ) -> Sequence[object]:
        given = [bind(each, parameters, database) for each in self._parameters]
        with database.cursor() as cursor:
            cursor.execute(self._sql + limit, given)
            rows: Sequence[_Row] = cursor.fetchall()
        return self._make_all(rows)


def _tuples(converters: _Converters, rows: Sequence[_Row]) -> Sequence[_Row]:
    for place, converts in converters.items():
        for convert in converts:
            rows = [
                (*row[:place], convert(row[place]), *row[place + 1 :]) for row in rows
            ]
    return rows


# As Django keeps them of a compiled query, without types.
_ClassInfo = Mapping[str, Any]  # type: ignore[explicit-any]
_Columns = Sequence[tuple[Any, ...]]  # type: ignore[explicit-any]
_Known = dict[tuple[type[Model], object], Model]


class _Maker:
    """Makes instances from the columns that are a model's, as `from_db()` does.

    Hundreds of them for a page: what is known beforehand is found out beforehand.
    """

    def __init__(
        self,
        info: _ClassInfo,
        columns: _Columns,
        annotations: Mapping[str, int],
        converters: _Converters,
    ) -> None:
        self._model: type[Model] = info["model"]
        places: Sequence[int] = info["select_fields"]
        self._slice: Final = slice(places[0], places[-1] + 1)
        names = [column[0].target.attname for column in columns[self._slice]]
        self._names: Final[Sequence[str]] = names
        self._annotations: Final = [*annotations.items()]
        named = [*zip(names, places, strict=True), *annotations.items()]
        self._converters: Final = [
            (name, convert)
            for name, place in named
            for convert in converters.get(place, ())
        ]
        key = self._model._meta.pk_fields[0].attname
        self._key: Final[int] = places[0] + names.index(key)
        self._related: Final[Sequence[tuple[str, _Maker]]] = [
            (related["field"].name, _Maker(related, columns, {}, converters))
            for related in info.get("related_klass_infos", ())
        ]

    def make_all(self, rows: Iterable[_Row]) -> list[Model]:
        known: _Known = {}
        return [self._make(row, known) for row in rows]

    def _make(self, row: _Row, known: _Known) -> Model:
        # The columns are as many as the names.
        values = dict(zip(self._names, row[self._slice]))  # noqa: B905
        for name, place in self._annotations:
            values[name] = row[place]
        for name, convert in self._converters:
            values[name] = convert(values[name])
        state = ModelState()
        state.__dict__ = {
            "adding": False,
            "db": DEFAULT_DB_ALIAS,
            "fields_cache": {
                field: maker._shared(row, known) for field, maker in self._related
            },
        }
        values["_state"] = state
        instance = self._model.__new__(self._model)
        instance.__dict__ = values
        if isinstance(instance, Message):
            instance.note_content()
        return instance

    def _shared(self, row: _Row, known: _Known) -> Model | None:
        """One instance for all rows that name it: the same few people, mostly."""
        key = row[self._key]
        if key is None:
            return None
        found = known.get((self._model, key))
        if found is None:
            found = known[self._model, key] = self._make(row, known)
        return found


# As Django has them; the last is the connection.
_DjangoConvert = Callable[[object, object, BaseDatabaseWrapper], object]


def _bound(convert: _DjangoConvert, expression: Expression | Col) -> _Convert:
    """A column's converter, by value alone; quicker ones for what is asked most."""
    match expression.output_field:
        case DateTimeField():
            return _in_utc
        case BooleanField():
            return _truth
        case IntegerField():
            return _whole
        case _:
            return lambda value: convert(
                value, expression, connections[DEFAULT_DB_ALIAS]
            )


def _comes_converted(
    expression: Expression | Col, database: BaseDatabaseWrapper
) -> bool:
    """Whether the driver makes the value itself: truth values of columns, say."""
    if isinstance(expression.output_field, IntegerField):
        return database.vendor == "sqlite"
    return isinstance(expression, Col) and isinstance(
        expression.output_field, BooleanField
    )


def _in_utc(value: object) -> object:
    """A moment as SQLite keeps it: in UTC, as text unless it is a plain column."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _truth(value: object) -> object:
    return None if value is None else bool(value)


def _whole(value: object) -> object:
    """Sums are not integers of themselves on PostgreSQL."""
    return int(value) if isinstance(value, Decimal) else value


def bind(
    parameter: Bindable | Parameter,
    parameters: Mapping[str, object],
    database: BaseDatabaseWrapper,
) -> Bindable:
    """A compiled query's parameter, as the database takes it."""
    if not isinstance(parameter, Parameter):
        return parameter
    value = parameters[parameter.name]
    if isinstance(value, list):
        return orjson.dumps(value).decode()
    if isinstance(value, datetime):
        return database.ops.adapt_datetimefield_value(value)
    return cast(Bindable, value)
