"""Runs SQL written by hand, where the ORM lacks an expression; each caller says which."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from messaging.database.parameters import Bindable

Values = Iterable[Bindable]


def execute(sql: str, values: Values = ()) -> int:
    """Run a statement; return the number of rows that it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(values))
        written: int = cursor.rowcount
    return written


def fetch_all(sql: str, values: Values = ()) -> Sequence[tuple[object, ...]]:
    """The rows of a query, or of the `RETURNING` of a write."""
    with connection.cursor() as cursor:
        cursor.execute(sql, _adapted(values))
        rows: Sequence[tuple[object, ...]] = cursor.fetchall()
    return rows


def _adapted(values: Values) -> list[Bindable]:
    """Convert datetimes to the database's form, and leave other values as they are."""
    return [
        connection.ops.adapt_datetimefield_value(value)
        if isinstance(value, datetime)
        else value
        for value in values
    ]
