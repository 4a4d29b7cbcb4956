"""Backs up the SQLite database while it is in use."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from messaging.errors import BackupError
from messaging.temporary_files import temporary_file_beside


def back_up_sqlite(*, database: Path, into: Path) -> int:
    """Write a snapshot of a database to a new file, completely or not at all.

    Readers and writers go on meanwhile. Only the owner may read the file: it holds all
    data.

    Returns:
        The size of the file in bytes.

    Raises:
        BackupError: there is no such database, or the file exists already.
    """
    try:
        with temporary_file_beside(into) as temporary:
            os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _copy(database, temporary)
            # A link fails if the file exists, unlike a rename: no backup overwrites
            # another file.
            into.hardlink_to(temporary)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(str(error)) from error
    return into.stat().st_size


def _copy(database: Path, temporary: Path) -> None:
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
        # SQLite writes into this empty file and keeps its mode.
        source.execute("VACUUM INTO ?", [str(temporary)])
    require_whole(temporary)
    with temporary.open("rb") as written:
        # A backup must survive a power failure right after it was reported.
        os.fsync(written.fileno())


def require_whole(database: Path) -> None:
    """Read the whole file, to check that it is an undamaged database.

    Raises:
        sqlite3.DatabaseError: the file is no database, or is damaged.
    """
    with closing(
        sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)
    ) as read:
        (found,) = read.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"database is damaged: {found}")
