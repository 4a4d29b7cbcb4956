"""Expressions that the ORM lacks."""

from collections.abc import Sequence
from typing import TypeVar

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    CharField,
    Expression,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast
from django.db.models.sql.compiler import SQLCompiler
from typing_extensions import override

M = TypeVar("M", bound=Model)
R = TypeVar("R")


class OnTimeline(Func):  # type: ignore[explicit-any]  # its default parameter
    """A stored epoch, and on PostgreSQL the timeline of the server that answers.

    A standby that becomes the primary begins a timeline. If it lacked the last
    transactions, versions and positions are given out again, for something else.
    """

    output_field = CharField()
    arity = 1
    template = "%(expressions)s"

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, Sequence[object]]:
        # Read in the very statement: whatever is in between may change servers unnoticed.
        return self.as_sql(
            compiler,
            connection,
            template="%(expressions)s || '.' || "
            "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)",
        )


class _Counted(Expression):
    """`COUNT(*)` of the rows of a subquery; Django's `Count` would group them."""

    output_field = IntegerField()

    @override
    def as_sql(  # type: ignore[override]  # the stubs allow no empty list of parameters
        self, compiler: SQLCompiler, connection: object
    ) -> tuple[str, list[object]]:
        return "COUNT(*)", []


def joined(rows: QuerySet[M, R], column: str) -> "Subquery[TextField[str, str]]":
    """A subquery for the numbers in a column of all rows, with spaces; null without a row."""
    # Not Django's aggregates, which would group the rows.
    is_postgresql = connections[rows.db].vendor == "postgresql"
    function = "string_agg" if is_postgresql else "group_concat"
    numbers = Func(
        Cast(column, TextField()),
        Value(" "),
        function=function,
        output_field=TextField(),
    )
    return Subquery(rows.order_by().values_list(numbers))


def number_of(rows: QuerySet[M, R]) -> "Subquery[IntegerField[int, int]]":
    """A subquery for the number of rows of a queryset."""
    return Subquery(rows.order_by().values_list(_Counted()))


def number_up_to(most: int, rows: QuerySet[M, R]) -> "Subquery[IntegerField[int, int]]":
    """The same, but no more than `most` rows are counted, and read."""
    return Subquery(
        rows.order_by().values_list(Value(1))[:most],
        output_field=IntegerField(),
        template="(SELECT COUNT(*) FROM (%(subquery)s) counted)",
    )
