"""How much work a database does for a query, counted, since times vary on a busy machine."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.test.utils import CaptureQueriesContext

# Instructions of SQLite's machine between two counts.
_STRIDE: Final = 10


@dataclass(slots=True)
class DatabaseWork:
    """Rows that PostgreSQL's nodes made, or tens of steps of SQLite's machine."""

    done: int = 0


@contextmanager
def count_work() -> Iterator[DatabaseWork]:
    """Of all statements within; what they write is written once."""
    work = DatabaseWork()
    if connection.vendor == "postgresql":
        with CaptureQueriesContext(connection) as captured:
            yield work
        work.done = sum(_rows_made(query["sql"]) for query in captured.captured_queries)
        return
    raw: sqlite3.Connection = connection.connection

    def step() -> int:
        work.done += 1
        return 0

    raw.set_progress_handler(step, _STRIDE)
    try:
        yield work
    finally:
        raw.set_progress_handler(None, 0)


def _rows_made(statement: str) -> int:
    if not statement.lstrip().startswith(("SELECT", "WITH")):
        return 0
    with connection.cursor() as cursor:
        # A table as small as a test's is read whole instead of fifty look-ups.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}")
        (found,) = cursor.fetchone()
    plans = json.loads(found) if isinstance(found, str) else found
    return _rows_of(plans[0]["Plan"])


def _rows_of(plan: Mapping[str, object]) -> int:
    """Of a node and those below it; what a filter threw away was made too."""
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    made = sum(
        int(str(plan.get(name, 0)).split(".")[0])
        for name in ("Actual Rows", "Rows Removed by Filter")
    )
    loops = plan["Actual Loops"]
    assert isinstance(loops, int)
    return made * loops + sum(_rows_of(each) for each in below)
