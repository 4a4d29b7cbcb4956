# What Parley uses of django-cte, which ships no types of its own.
from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.db.models.expressions import Combinable

_M = TypeVar("_M", bound=Model)
_Row = TypeVar("_Row")

class _Column(Combinable): ...

class _Columns:
    def __getattr__(self, name: str) -> _Column: ...

class CTE:
    col: _Columns
    def __init__(self, queryset: QuerySet[_M, _Row], name: str = ...) -> None: ...
    @classmethod
    def recursive(
        cls, make_cte_queryset: Callable[[CTE], QuerySet[_M, _Row]], name: str = ...
    ) -> CTE: ...
    def join(
        self, model_or_queryset: type[_M] | QuerySet[_M], **filter_kw: object
    ) -> QuerySet[_M]: ...
    def queryset(self) -> QuerySet[_M, _Row]: ...

def with_cte(*ctes: CTE, select: QuerySet[_M, _Row]) -> QuerySet[_M, _Row]: ...
