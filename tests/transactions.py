"""What each transaction of the code under test writes, and what happens in between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from django.db import connection


class Execute(Protocol):
    def __call__(
        self,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
        /,
    ) -> object: ...


@dataclass(slots=True)
class Transactions:
    """Rows written by each, in order."""

    rows: list[int] = field(default_factory=list)

    @property
    def longest(self) -> int:
        return max(self.rows, default=0)


@contextmanager
def watch_transactions(
    between: Callable[[], object] = lambda: None,
) -> Iterator[Transactions]:
    """Within the transaction of a test, where they are savepoints.

    `between` is called before each but the first: nobody holds anything then.
    """
    seen = Transactions()
    depth = len(connection.savepoint_ids)
    busy = False

    def watch(
        execute: Execute,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        nonlocal busy
        if busy:
            return execute(statement, parameters, many, context)
        outermost = len(connection.savepoint_ids) == depth
        if outermost and statement.startswith("SAVEPOINT"):
            if seen.rows:
                busy = True
                between()
                busy = False
            seen.rows.append(0)
        result = execute(statement, parameters, many, context)
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            cursor = context["cursor"]
            if outermost:
                seen.rows.append(0)
            seen.rows[-1] += max(0, int(getattr(cursor, "rowcount", 0)))
        return result

    with connection.execute_wrapper(watch):
        yield seen
