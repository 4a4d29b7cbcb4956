"""Divides the large tables by the hash of the conversation, and makes them whole again.

What a table consists of is read from PostgreSQL's catalogue and not written here, so that
it works on what any migration of messaging left. See decision 0048.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

# Notifications are asked for by their user, and stay whole.
TABLES: Final = ("messaging_message", "messaging_messagehistory")

# Also the references of other tables to these. Those of partitions have a parent
# constraint, and follow it. Keys first: references need them.
_CONSTRAINTS: Final = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint
WHERE (conrelid = ANY(%s::regclass[]) OR confrelid = ANY(%s::regclass[]))
    AND contype IN ('p', 'u', 'f') AND conparentid = 0
ORDER BY contype = 'f', conname
"""
_INDEXES: Final = """
SELECT pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = ANY(%s::regclass[])
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY indexrelid
"""
_GO_ON_AFTER: Final = """
SELECT setval(pg_get_serial_sequence(%s, 'id'), last_value, is_called) FROM {sequence}
"""


@dataclass(frozen=True, slots=True)
class _Constraint:
    table: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class _Form:
    """Whole, or divided: how a table is created, and what its constraints become."""

    parts: int
    key: Callable[[str], str]
    reference: Callable[[str], str]


def divide(database: BaseDatabaseWrapper, *, parts: int) -> None:
    """Copy the tables into ones of so many partitions, which take their places.

    Nobody else uses them meanwhile. It belongs into a transaction.

    Raises:
        NotSupportedError: the database is not PostgreSQL.
    """
    _rebuild(database, _Form(parts, _with_conversation, _of_conversation))


def unite(database: BaseDatabaseWrapper) -> None:
    """Undo `divide`, in the same way."""
    _rebuild(database, _Form(0, _without_conversation, _of_message_alone))


def _rebuild(database: BaseDatabaseWrapper, form: _Form) -> None:
    if database.vendor != "postgresql":
        raise NotSupportedError(
            "PARLEY_PARTITIONS: only PostgreSQL divides tables into partitions."
        )
    all_tables = ", ".join(TABLES)
    with database.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {all_tables} IN ACCESS EXCLUSIVE MODE")
        constraints, indexes = _constraints(cursor), _indexes(cursor)
        for table in TABLES:
            _copy(cursor, table, form.parts)
        for each in constraints:
            if each.table not in TABLES:
                cursor.execute(f"ALTER TABLE {each.table} DROP CONSTRAINT {each.name}")
        cursor.execute(f"DROP TABLE {all_tables}")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
            cursor.execute(
                f"ALTER SEQUENCE {table}_new_id_seq RENAME TO {table}_id_seq"
            )
        for each in constraints:
            _add(cursor, each, form)
        for index in indexes:
            cursor.execute(index)
        # Autovacuum looks at partitions alone, and never at the whole.
        cursor.execute(f"ANALYZE {all_tables}")


def _constraints(cursor: CursorWrapper) -> Sequence[_Constraint]:
    cursor.execute(_CONSTRAINTS, [[*TABLES], [*TABLES]])
    return [_Constraint(*row) for row in cursor.fetchall()]


def _indexes(cursor: CursorWrapper) -> Sequence[str]:
    cursor.execute(_INDEXES, [[*TABLES]])
    # A partitioned table's own has no partition's with it.
    return [sql.replace(" ON ONLY ", " ON ", 1) for (sql,) in cursor.fetchall()]


def _copy(cursor: CursorWrapper, table: str, parts: int) -> None:
    divided = "PARTITION BY HASH (conversation_id)" if parts else ""
    cursor.execute(
        f"CREATE TABLE {table}_new (LIKE {table} INCLUDING ALL EXCLUDING INDEXES) {divided}"
    )
    for part in range(parts):
        cursor.execute(
            f"CREATE TABLE {table}_part_{part} PARTITION OF {table}_new"
            f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {part})"
        )
    cursor.execute(f"INSERT INTO {table}_new SELECT * FROM {table}")  # noqa: S608  # our names
    cursor.execute(_GO_ON_AFTER.format(sequence=f"{table}_id_seq"), [f"{table}_new"])


def _add(cursor: CursorWrapper, constraint: _Constraint, form: _Form) -> None:
    is_reference = constraint.definition.startswith("FOREIGN KEY")
    altered = form.reference if is_reference else form.key
    cursor.execute(
        f"ALTER TABLE {constraint.table} ADD CONSTRAINT {constraint.name}"
        f" {altered(constraint.definition)}"
    )


def _with_conversation(key: str) -> str:
    """A key of partitions contains the column that divides them; at its end, so that its
    index still finds what it found.
    """
    if "conversation_id" in key:
        return key
    return key.replace(")", ", conversation_id)", 1)


def _without_conversation(key: str) -> str:
    return key.replace(", conversation_id)", ")", 1)


def _of_conversation(reference: str) -> str:
    if "REFERENCES messaging_message(" not in reference:
        return reference
    return reference.replace("KEY (", "KEY (conversation_id, ", 1).replace(
        "(id)", "(conversation_id, id)", 1
    )


def _of_message_alone(reference: str) -> str:
    return reference.replace("(conversation_id, ", "(")
