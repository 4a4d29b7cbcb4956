"""Rows written without a `Change`, for tests: what no service would write, or not so soon."""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def overwrite(rows: QuerySet[M], **values: object) -> int:
    return QuerySet.update(rows, **values)


def erase(rows: QuerySet[M]) -> None:
    QuerySet._raw_delete(rows, rows.db)


def insert(row: M) -> M:
    row.save_base(force_insert=True)
    return row
