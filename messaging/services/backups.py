"""A copy of the embedded database, taken while it is in use."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from messaging.errors import BackupError


def back_up_sqlite(*, database: Path, into: Path) -> int:
    """Write a database as it is now into a file, whole or not at all; says its bytes.

    Readers and writers go on meanwhile. The file is for its owner's eyes only: it
    holds everything.

    Raises:
        BackupError: no such database, or something is at the file's path already.
    """
    draft = into.with_name(f".{into.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(database, draft)
        into.hardlink_to(draft)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(str(error)) from error
    finally:
        draft.unlink(missing_ok=True)
    return into.stat().st_size


def _copy(database: Path, draft: Path) -> None:
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as source:
        # SQLite takes the empty file for a new one, and leaves its mode.
        source.execute("VACUUM INTO ?", [str(draft)])
    with draft.open("rb") as written:
        os.fsync(written.fileno())
