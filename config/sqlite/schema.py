"""Django's editor of SQLite's schema, which gives no id out a second time."""

from collections.abc import Iterator
from contextlib import closing
from types import TracebackType
from typing import Self

from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from typing_extensions import override

_RAISE_HIGHEST_ID = "DELETE FROM sqlite_sequence WHERE name = %s AND seq < %s"
_ADD_HIGHEST_ID = """
INSERT INTO sqlite_sequence (name, seq)
SELECT name, %s FROM sqlite_master
WHERE type = 'table' AND name = %s
    AND name NOT IN (SELECT name FROM sqlite_sequence)
"""


class SchemaEditor(DatabaseSchemaEditor):
    """Django copies a table to change it, and SQLite goes on from the highest id of the copy.

    The ids of what was deleted before would be given out again: events, looks and
    imports still name them.
    """

    @override
    def __enter__(self) -> Self:
        entered = super().__enter__()
        self._highest_ids = dict(self._read_highest_ids())
        return entered

    @override
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None and not self.collect_sql:
            self._keep_highest_ids()
        super().__exit__(exc_type, exc_value, traceback)

    def _read_highest_ids(self) -> Iterator[tuple[str, int]]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")
            # There is none before the first table that counts its ids.
            if cursor.fetchone():
                cursor.execute("SELECT name, seq FROM sqlite_sequence")
                yield from cursor.fetchall()

    def _keep_highest_ids(self) -> None:
        with closing(self.connection.cursor()) as cursor:
            for table, highest in self._highest_ids.items():
                cursor.execute(_RAISE_HIGHEST_ID, [table, highest])
                cursor.execute(_ADD_HIGHEST_ID, [highest, table])
