"""The files of an SQLite database, which only their owner may read."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

# Endings of SQLite's own files, and of the write lock's (the last two).
_BESIDE: Final = ("-wal", "-shm", "-journal", "-queue", "-turn")


def database_files(database: Path) -> list[Path]:
    """The main file, and the other files that may belong to the database."""
    return [database, *(database.with_name(f"{database.name}{end}") for end in _BESIDE)]


def make_database(database: Path) -> None:
    """Create an empty database that only its owner may read, unless it exists.

    SQLite would create a file that everybody may read. Its other files get the mode of
    this one.
    """
    # SQLite reports a wrong path when it opens the file.
    with suppress(OSError):
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
