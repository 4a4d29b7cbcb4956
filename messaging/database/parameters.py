"""Placeholders in a compiled query for the values that are given when it runs.

The parameters of a compiled query are those of the function that builds it, so that
mypy checks every call. An annotation says what kind of value it takes: `int`, `str` or
`datetime`, a `NewType` of one, or `Collection[int]` for any number of ids.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, ParamSpec, cast, get_args, get_origin

import orjson
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, DateTimeField, Expression, TextField
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override

P = ParamSpec("P")

Bindable = str | int | datetime | None
# What fills the SQL's placeholders, in order: a constant of the query, or a parameter.
Places = Collection["Bindable | Parameter"]

_FIELDS: Final = {int: BigIntegerField, str: TextField, datetime: DateTimeField}


class Parameter(Expression):
    """A placeholder for one value. In a queryset it is an expression, like `F()`.

    Therefore the field that it is compared with does not convert the value: use a plain
    queryset for a field with its own `get_prep_value`.
    """

    def __init__(self, name: str, kind: type) -> None:
        super().__init__(output_field=_FIELDS[kind]())
        self.name: Final = name
        self.kind: Final = kind

    @override
    def as_sql(  # type: ignore[override]  # the parameter is not a value yet
        self, compiler: SQLCompiler, connection: object
    ) -> tuple[str, list["Parameter"]]:
        return "%s", [self]

    def bound(self, value: object, database: BaseDatabaseWrapper) -> Bindable:
        """The value in the form that the driver takes.

        Raises:
            TypeError: the value is of another kind. A driver would accept a list or
                None, for example, and the query would find nothing.
        """
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name} takes {self.kind.__name__}, not {value!r}.")
        if isinstance(value, datetime):
            return database.ops.adapt_datetimefield_value(value)
        return cast(Bindable, value)


class ListParameter(Parameter):
    """A placeholder for any number of ids, for `…__in`.

    The ids are bound as one JSON array, which the database unpacks: the statement is
    the same for any number of them.
    """

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

    @override
    def bound(self, value: object, database: BaseDatabaseWrapper) -> Bindable:
        if isinstance(value, str | bytes) or not isinstance(value, Collection):
            raise TypeError(f"{self.name} takes a collection of ids, not {value!r}.")
        return orjson.dumps([*value]).decode()


def name_of(build: Callable[P, object]) -> str:
    """The name of a function, for error messages."""
    return f"{build.__module__}.{build.__qualname__}"


def parameters_of(build: Callable[P, object]) -> Mapping[str, Parameter]:
    """The parameters of a function that builds a query, by name.

    Raises:
        TypeError: one has a default, may be given by position, or has an annotation
            that names no kind.
    """
    return {
        name: _parameter(name_of(build), parameter)
        for name, parameter in inspect.signature(build).parameters.items()
    }


def _parameter(query: str, given: inspect.Parameter) -> Parameter:
    where = f"{query}: {given.name}"
    if given.kind is not given.KEYWORD_ONLY or given.default is not given.empty:
        raise TypeError(f"{where} must be keyword-only, without a default.")
    kind = _supertype(given.annotation)
    if get_origin(kind) is Collection and _supertype(get_args(kind)[0]) is int:
        return ListParameter(given.name, int)
    if kind not in _FIELDS:
        raise TypeError(f"{where} is of no kind that a compiled query takes: {kind}.")
    return Parameter(given.name, kind)


def _supertype(annotation: object) -> object:
    """The type that a `NewType` was made of."""
    return getattr(annotation, "__supertype__", annotation)


class Binding:
    """The parameters of a compiled statement, and their positions in it.

    Raises:
        TypeError: a parameter has no position, because the function looked at it while
            it built the query, or did not use it.
    """

    def __init__(
        self, name: str, parameters: Mapping[str, Parameter], places: Places
    ) -> None:
        self._name = name
        self._names = parameters.keys()
        self._values: Final = [*places]
        self._placed: Final = [
            (place, value.name, value.bound)
            for place, value in enumerate(self._values)
            if isinstance(value, Parameter)
        ]
        used = {name for _, name, _ in self._placed}
        if unused := self._names - used:
            raise TypeError(f"{name} does not use {', '.join(sorted(unused))}.")

    def bound(
        self, given: Mapping[str, object], database: BaseDatabaseWrapper
    ) -> list[Bindable]:
        """The values to run the statement with, in the order of its placeholders.

        Raises:
            TypeError: one is missing, of another kind, or unknown.
        """
        if given.keys() != self._names:
            raise TypeError(
                f"{self._name} takes {', '.join(self._names) or 'nothing'},"
                f" not {', '.join(given) or 'nothing'}."
            )
        values = self._values.copy()
        for place, name, bound in self._placed:
            values[place] = bound(given[name], database)
        return cast(list[Bindable], values)
