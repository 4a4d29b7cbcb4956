"""Queries that are compiled once, and run with other values each time.

    @CompiledQuery
    def _sent(*, sender: UserId, since: datetime) -> QuerySet[Message]:
        return Message.objects.filter(sender=sender, timestamp__gte=since)

    _sent.all(sender=user_id, since=yesterday)

The function is called once for each kind of database, with a `Parameter` in place of
each value. It may use them in lookups, annotations and arithmetic, but not branch on
them: the query has to be the same for all values. `build` is the function itself, for
callers that want the plain queryset.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Generic, ParamSpec, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable, ValuesListIterable
from django.db.models.sql.compiler import SQLCompiler

from messaging.database.converters import converted, converters_of
from messaging.database.instances import Maker, Row
from messaging.database.parameters import Binding, Parameter, name_of, parameters_of

P = ParamSpec("P")
M = TypeVar("M", bound=Model)
R = TypeVar("R")


class CompiledQuery(Generic[P, M, R]):
    """A compiled query for model instances, or for tuples after `values_list()`."""

    def __init__(self, build: Callable[P, QuerySet[M, R]]) -> None:
        self.build: Final = build
        self._parameters: Final = parameters_of(build)
        self._compiled: dict[str, _Query] = {}

    def all(self, *_: P.args, **given: P.kwargs) -> list[R]:
        return self._rows("", given)

    def page(self, limit: int, /, *_: P.args, **given: P.kwargs) -> list[R]:
        """The first `limit` rows, in the order of the query."""
        return self._rows(f" LIMIT {limit:d}", given)

    def first(self, *_: P.args, **given: P.kwargs) -> R | None:
        """The first row, or None. For queries with one row at most: it sets no LIMIT."""
        rows = self._rows("", given)
        return rows[0] if rows else None

    def _rows(self, limit: str, given: Mapping[str, object]) -> list[R]:
        database = connections[DEFAULT_DB_ALIAS]
        compiled = self._compiled.get(database.vendor)
        if compiled is None:
            queryset = built(self.build, self._parameters)
            compiled = _Query(queryset, database, self._parameters, name_of(self.build))
            self._compiled[database.vendor] = compiled
        return cast("list[R]", compiled.rows(database, limit, given))


Built = TypeVar("Built")


def built(build: Callable[P, Built], parameters: Mapping[str, Parameter]) -> Built:
    """The result of a function that is called with parameters in place of values."""
    return build(**parameters)  # type: ignore[call-arg, arg-type]  # they pass for the values


class _Query:
    def __init__(
        self,
        queryset: QuerySet[M, R],
        database: BaseDatabaseWrapper,
        parameters: Mapping[str, Parameter],
        name: str,
    ) -> None:
        _require_plain_rows(queryset, name)
        compiler = queryset.query.get_compiler(connection=database)
        self._sql, places = compiler.as_sql()
        self._binding: Final = Binding(name, parameters, places)
        self._converters: Final = converters_of(compiler, database)
        self._make_all: Final = (
            _maker(compiler) if queryset.query.default_cols else None
        )

    def rows(
        self, database: BaseDatabaseWrapper, limit: str, given: Mapping[str, object]
    ) -> Sequence[object]:
        bound = self._binding.bound(given, database)
        with database.cursor() as cursor:
            cursor.execute(self._sql + limit, bound)
            rows: Sequence[Row] = cursor.fetchall()
        rows = converted(rows, self._converters, database)
        return rows if self._make_all is None else self._make_all(rows)


def _maker(compiler: SQLCompiler) -> Callable[[Iterable[Row]], list[Model]]:
    annotations = compiler.annotation_col_map or {}
    return Maker(compiler.klass_info, compiler.select, annotations).make_all


def _require_plain_rows(queryset: QuerySet[M, R], name: str) -> None:
    """Refuse a queryset whose rows are neither instances nor tuples, such as those of `values()`.

    Raises:
        TypeError
    """
    rows: object = queryset._iterable_class
    if rows is not ModelIterable and rows is not ValuesListIterable:
        raise TypeError(f"{name} gives neither instances nor values_list().")
    if queryset._prefetch_related_lookups:  # type: ignore[attr-defined]  # not in the stubs
        raise TypeError(f"{name} prefetches, which a compiled query does not.")
