"""What each transaction did to versions, the clock and the log of events.

Triggers write it down as it happens, so that it is known of every transaction that
committed, whoever it was: `python -m tests.prove.audit install`, and `report` later.
"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypedDict

import django
from django.conf import settings

# A version, from and to; a step of the clock, from and to; an event and its position, if
# it has one at once; the position of one that was numbered later.
_TABLE: Final = """
CREATE TABLE audit (
    id {serial},
    transaction_id bigint NOT NULL,
    kind text NOT NULL,
    conversation_id bigint,
    low bigint,
    high bigint,
    event_type text
)
"""
_INSERT: Final = (
    "INSERT INTO audit (transaction_id, kind, conversation_id, low, high, event_type)"
)

# By table: on what, when, and what is written down of the row.
_NOTED: Final = (
    (
        "messaging_conversation",
        "UPDATE",
        "OLD.version <> NEW.version",
        "'version', NEW.id, OLD.version, NEW.version, NULL",
    ),
    (
        "messaging_installation",
        "UPDATE",
        "OLD.clock <> NEW.clock",
        "'clock', NULL, OLD.clock, NEW.clock, NULL",
    ),
    (
        "messaging_event",
        "INSERT",
        "NEW.id IS NOT NULL",
        "'event', NEW.conversation_id, NEW.id, NEW.position, NEW.type",
    ),
    (
        "messaging_event",
        "UPDATE",
        "OLD.position IS NULL AND NEW.position IS NOT NULL",
        "'number', NEW.conversation_id, NEW.position, NULL, NEW.type",
    ),
)

# SQLite has no number of a transaction. One writes at a time, and the clock comes
# after the versions and before the events: where it stood names the transaction.
_SQLITE_TRANSACTION: Final = {
    "messaging_conversation": "(SELECT clock FROM messaging_installation)",
    "messaging_installation": "OLD.clock",
    "messaging_event": (
        "(SELECT transaction_id FROM audit WHERE kind = 'clock'"
        " ORDER BY id DESC LIMIT 1)"
    ),
}


class Row(TypedDict):
    transaction_id: int
    kind: str
    conversation_id: int | None
    low: int
    high: int | None
    event_type: str


@dataclass(slots=True)
class Transaction:
    """What one transaction did."""

    # By conversation: each raise, from and to.
    versions: dict[int, list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    ticks: list[tuple[int, int]] = field(default_factory=list)
    # Type and conversation of each.
    events: list[tuple[str, int | None]] = field(default_factory=list)
    # Those that it gave to events.
    positions: list[int] = field(default_factory=list)

    def note(self, row: Row) -> None:
        if row["kind"] == "version":
            step = row["low"], row["high"] or 0
            self.versions[row["conversation_id"] or 0].append(step)
        elif row["kind"] == "clock":
            self.ticks.append((row["low"], row["high"] or 0))
        elif row["kind"] == "number":
            self.positions.append(row["low"])
        else:
            self.events.append((row["event_type"], row["conversation_id"]))
            if row["high"] is not None:
                self.positions.append(row["high"])


def audited(environment: Mapping[str, str]) -> list[Transaction]:
    """The transactions since the audit was installed in this database."""
    found: dict[int, Transaction] = defaultdict(Transaction)
    for row in _run(environment, "report"):
        found[row["transaction_id"]].note(row)
    return [*found.values()]


def install_audit(environment: Mapping[str, str]) -> None:
    _run(environment, "install")


def _run(environment: Mapping[str, str], command: str) -> list[Row]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.prove.audit", command],
        env={**os.environ, **environment},
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.PIPE,
    )
    rows: list[Row] = json.loads(done.stdout or "[]")
    return rows


def _install() -> None:
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    is_sqlite = connection.vendor == "sqlite"
    serial = (
        "integer PRIMARY KEY AUTOINCREMENT" if is_sqlite else "bigserial PRIMARY KEY"
    )
    with connection.cursor() as cursor:
        cursor.execute(_TABLE.format(serial=serial))
        for table, operation, condition, values in _NOTED:
            for statement in (
                _sqlite_trigger(table, operation, condition, values)
                if is_sqlite
                else _postgresql_trigger(table, operation, condition, values)
            ):
                cursor.execute(statement)


def _sqlite_trigger(
    table: str, operation: str, condition: str, values: str
) -> list[str]:
    when = f"AFTER {operation} ON {table} WHEN {condition}"
    noted = f"{_INSERT} VALUES ({_SQLITE_TRANSACTION[table]}, {values})"
    name = f"audit_{table}_{operation}"
    return [f"CREATE TRIGGER {name} {when} BEGIN {noted}; END"]


def _postgresql_trigger(
    table: str, operation: str, condition: str, values: str
) -> list[str]:
    when = f"AFTER {operation} ON {table} FOR EACH ROW WHEN ({condition})"
    noted = f"{_INSERT} VALUES (pg_current_xact_id()::text::bigint, {values})"
    name = f"audit_{table}_{operation}"
    function = f"{name}() RETURNS trigger LANGUAGE plpgsql"
    return [
        f"CREATE FUNCTION {function} AS $$ BEGIN {noted}; RETURN NULL; END $$",
        f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {name}()",
    ]


def _report() -> None:
    from django.db import connection  # noqa: PLC0415  # after django.setup()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit ORDER BY id")
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        json.dump(rows, sys.stdout)


if __name__ == "__main__":
    django.setup()
    {"install": _install, "report": _report}[sys.argv[1]]()
