"""Pages of lists, by keyset pagination: see messaging/cursors.py."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items in the list's order, and the cursor of the next page, if there is one."""

    items: Sequence[T]
    next_cursor: str | None


def cut_page(
    rows: Iterable[T], *, limit: int, cursor_of: Callable[[T], str]
) -> Page[T]:
    """Make a page of up to `limit + 1` rows: an extra row only shows that there are more."""
    fetched = list(rows)
    items = fetched[:limit]
    return Page(items, cursor_of(items[-1]) if len(fetched) > limit else None)
