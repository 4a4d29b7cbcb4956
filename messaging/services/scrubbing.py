"""VACUUM: rewrites the database files, so that no bytes of deleted rows are left."""

from pathlib import Path

from django.db import connection

from messaging.database import execute
from messaging.row_visibility import await_unseen
from messaging.temporary_files import remove_abandoned, temporary_files_beside


class RowsStillVisibleError(Exception):
    pass


def rewrite_database(*, max_wait_seconds: float) -> None:
    """VACUUM the whole database; call it outside of transactions.

    When a database moves a row within its files, a copy of the bytes stays behind,
    which deleting the row does not overwrite. Writers wait meanwhile, and on PostgreSQL
    readers too.

    Raises:
        OperationalError: another process used the database, or the disk is full.
        RowsStillVisibleError: on PostgreSQL, a transaction went on for so many seconds
            that may see deleted rows, which VACUUM would keep.
    """
    if connection.vendor == "sqlite":
        execute("VACUUM")
        execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    if not await_unseen(seconds=max_wait_seconds):
        raise RowsStillVisibleError
    for table in connection.introspection.django_table_names(only_existing=True):
        execute(f"VACUUM (FULL) {connection.ops.quote_name(table)}")


def other_copies() -> list[Path]:
    """Other files beside an SQLite database that hold an earlier state of all its data.

    Temporary files of killed backups and restores are removed first.
    """
    if connection.vendor != "sqlite":
        return []
    database = Path(connection.settings_dict["NAME"])
    remove_abandoned(database)
    return [*temporary_files_beside(database), *_formers(database)]


def _formers(database: Path) -> list[Path]:
    folder = database.absolute().parent
    if not folder.is_dir():
        return []
    before = f"{database.name}.before-"
    return sorted(path for path in folder.iterdir() if path.name.startswith(before))
