"""Expressions that the ORM lacks."""

from typing import TypeVar

from django.db.models import Expression, IntegerField, Model, QuerySet, Subquery
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


def number_of(rows: QuerySet[M, R]) -> "Subquery[IntegerField[int, int]]":
    """A subquery for the number of rows of a queryset."""
    return Subquery(rows.order_by().values_list(_Counted()))
