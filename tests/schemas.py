"""What PostgreSQL's catalogue says of tables that may be divided, and of what refers to them."""

from collections.abc import Sequence
from typing import Final

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from config.postgresql.partitions.tables import TABLES

Definitions = dict[str, Sequence[tuple[object, ...]]]

# By what they are about. Those of partitions follow from those of their tables.
_QUERIES: Final = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable, is_identity, column_default
        FROM information_schema.columns WHERE table_name = ANY(%s) ORDER BY 1, 2""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint JOIN unnest(%s::regclass[]) AS divided
            ON divided IN (conrelid, confrelid)
        WHERE conparentid = 0 GROUP BY pg_constraint.oid ORDER BY 1, 2""",
    "indexes": """
        SELECT tablename, indexdef FROM pg_indexes WHERE tablename = ANY(%s)
        ORDER BY 1, 2""",
    "sequences": """
        SELECT name, pg_get_serial_sequence(name, 'id') FROM unnest(%s::text[]) AS name
        ORDER BY 1""",
}


def table_definitions(database: BaseDatabaseWrapper) -> Definitions:
    with database.cursor() as cursor:
        found: Definitions = {}
        for name, query in _QUERIES.items():
            cursor.execute(query, [[*TABLES]])
            found[name] = cursor.fetchall()
    return found


def is_divided(table: str, database: BaseDatabaseWrapper = connection) -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_partitioned_table WHERE partrelid = %s::regclass",
            [table],
        )
        (count,) = cursor.fetchone()
    return bool(count)
