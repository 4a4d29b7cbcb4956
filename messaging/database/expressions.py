"""Expressions that the ORM lacks."""

from collections.abc import Sequence
from typing import TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Expression,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class _Counted(Expression):
    """`COUNT(*)` of the rows of a subquery; Django's `Count` would group them."""

    output_field = IntegerField()

    @override
    def as_sql(  # type: ignore[override]  # the stubs allow no empty list of parameters
        self, compiler: SQLCompiler, connection: object
    ) -> tuple[str, list[object]]:
        return "COUNT(*)", []


class _Joined(Func):
    """The numbers of a column, of all rows of a subquery, with spaces between."""

    output_field = TextField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[object]]:
        return self.as_sql(
            compiler, connection, template="group_concat(%(expressions)s, ' ')"
        )

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[object]]:
        return self.as_sql(
            compiler, connection, template="string_agg(%(expressions)s::text, ' ')"
        )


def joined(rows: QuerySet[M, R], column: str) -> "Subquery[TextField[str, str]]":
    """A subquery for the numbers in a column of all rows, as text; null if there is no row."""
    return Subquery(rows.order_by().values_list(_Joined(column)))


def number_of(rows: QuerySet[M, R]) -> "Subquery[IntegerField[int, int]]":
    """A subquery for the number of rows of a queryset."""
    return Subquery(rows.order_by().values_list(_Counted()))
