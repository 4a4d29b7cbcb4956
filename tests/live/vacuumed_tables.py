"""What PostgreSQL's statistics say of rows that were deleted."""

import time
from typing import Final

import psycopg

TABLES: Final = ("messaging_user", "messaging_message", "messaging_messagehistory")
# The server waits a minute for transactions, of other databases too, that may see the rows.
PATIENCE_SECONDS: Final = 120


def dead_rows(database: psycopg.Connection) -> int:
    """Of these tables; -1 before they were ever vacuumed."""
    (rows,) = database.execute(
        "SELECT CASE WHEN min(vacuum_count) > 0 THEN sum(n_dead_tup) ELSE -1 END"
        " FROM pg_stat_user_tables WHERE relname = ANY(%s)",
        [list(TABLES)],
    ).fetchone() or (-1,)
    return int(rows)


def await_vacuumed(database: psycopg.Connection) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (left := dead_rows(database)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == 0
