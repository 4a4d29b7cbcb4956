"""Restores a backup over the SQLite database; the server may go on running.

Everything that can fail is done to a copy of the backup: it is checked, migrated and
given a new epoch. Then, under the write lock, its content replaces that of the database
in one transaction. So every process sees either the former database or the restored
one, even if this process is killed.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import Error, connection
from django.db.models import Max
from django.utils import timezone

from messaging.errors import BackupError, RestoreError
from messaging.models import Conversation, Message, User
from messaging.services.backups import back_up_sqlite, require_whole
from messaging.services.installation import renew_epoch
from messaging.services.migrations import later_migrations
from messaging.temporary_files import remove_abandoned, temporary_file_beside

_TABLES: Final = {"messaging_installation", "messaging_message", "django_migrations"}
_COUNTED: Final = """
    SELECT (SELECT count(*) FROM messaging_user),
           (SELECT count(*) FROM messaging_conversation),
           (SELECT count(*) FROM messaging_message)
"""
_BUSY_SECONDS: Final = 20
# The byte range of SQLite's file locks: each open connection holds a lock in it.
_LOCKS_FROM: Final = 0x40000000
_LOCKS: Final = 512

# A context manager that keeps all others from writing.
WriteLock = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Restored:
    """The numbers of restored rows, and the file that keeps the former database."""

    people: int
    conversations: int
    messages: int
    last_message_at: datetime | None
    former: Path | None


def require_restorable(*, backup: Path, database: Path) -> None:
    """Refuse a path that cannot be a backup, before asking for confirmation or copying.

    Raises:
        RestoreError: the path is no file, or is the database itself.
    """
    if not backup.is_file():
        raise RestoreError(f"{backup} is no file.")
    if database.exists() and backup.samefile(database):
        raise RestoreError(f"{backup} is the database itself.")


@contextmanager
def restorable(*, backup: Path, database: Path) -> Iterator[Path]:
    """Yield a copy of a backup, checked, which can replace a database.

    Raises:
        RestoreError: the backup is the database itself, is damaged, or is not a
            database of this version of Parley or an earlier one; or another restore is
            running.
    """
    require_restorable(backup=backup, database=database)
    try:
        with (
            _alone_in(database.absolute().parent),
            temporary_file_beside(database, kind="restoring-") as temporary,
        ):
            _copy(backup, temporary, page_size=_page_size(database))
            require_whole(temporary)
            _require_parley(temporary, backup)
            yield temporary
    except (OSError, sqlite3.Error, Error) as error:
        raise RestoreError(f"{backup} cannot be restored: {error}.") from error


def restore_sqlite(
    *, temporary: Path, database: Path, write_lock: WriteLock, keep: bool
) -> Restored:
    """Migrate the copy that `restorable()` yields, and replace the database by it.

    Args:
        write_lock: entering it raises TimeoutError if others write all the time.
        keep: whether to keep the former database beside it, under another name.

    Raises:
        RestoreError: the database is as it was.
    """
    with _in_use(temporary):
        if later := later_migrations():
            raise RestoreError(f"It is of a later version, which did {later[0]}.")
        call_command("migrate", verbosity=0, interactive=False)
        renew_epoch()
        restored = _restored()
    counted = _rows(temporary)
    former = database.with_name(f"{database.name}.before-{_moment()}") if keep else None
    try:
        with write_lock():
            _require_unchanged(temporary, counted)
            kept = _put_in_place(temporary, database, former)
    except TimeoutError as error:
        raise RestoreError(
            "Others wrote all the time; nothing was restored."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise RestoreError(f"The database is as it was: {error}.") from error
    return replace(restored, former=kept)


def _copy(backup: Path, temporary: Path, *, page_size: int | None) -> None:
    # Create it first, so that only its owner can ever read it.
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with _opened(backup, "ro") as source, _opened(temporary, "rw") as copy:
        source.backup(copy)
        if page_size:
            # In WAL mode, VACUUM would not change the page size.
            copy.execute("PRAGMA journal_mode=DELETE")
            copy.execute(f"PRAGMA page_size={page_size}")
            copy.execute("VACUUM")


def _page_size(database: Path) -> int | None:
    """The page size of a database; None if it cannot be read."""
    with suppress(sqlite3.Error), _opened(database, "ro") as read:
        size: int = read.execute("PRAGMA page_size").fetchone()[0]
        return size
    return None


def _require_parley(temporary: Path, backup: Path) -> None:
    with _opened(temporary, "rw") as copy:
        names = copy.execute("SELECT name FROM sqlite_schema").fetchall()
    if not {name for (name,) in names} >= _TABLES:
        raise RestoreError(f"{backup} holds no database of Parley.")


@contextmanager
def _in_use(temporary: Path) -> Iterator[None]:
    """Connect Django to the copy, which must exist, instead of the database."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = f"{temporary.absolute().as_uri()}?mode=rw"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


def _restored() -> Restored:
    return Restored(
        people=User.objects.count(),
        conversations=Conversation.objects.count(),
        messages=Message.objects.count(),
        last_message_at=Message.objects.aggregate(last=Max("timestamp"))["last"],
        former=None,
    )


def _rows(temporary: Path) -> tuple[int, int, int]:
    with _opened(temporary, "rw") as copy:
        people, conversations, messages = copy.execute(_COUNTED).fetchone()
    return people, conversations, messages


def _require_unchanged(temporary: Path, counted: tuple[int, int, int]) -> None:
    """Refuse a copy that another process emptied or replaced meanwhile."""
    try:
        unchanged = _rows(temporary) == counted
    except sqlite3.Error:
        unchanged = False
    if not unchanged:
        raise RestoreError("The copy was changed meanwhile; nothing was restored.")


def _put_in_place(temporary: Path, database: Path, former: Path | None) -> Path | None:
    if not database.stat().st_size:
        # The database is empty: it was created by taking the write lock.
        former = None
    try:
        if former is not None:
            back_up_sqlite(database=database, into=former)
        _overwrite(database, temporary)
    except (BackupError, sqlite3.DatabaseError) as error:
        if _is_whole(database):
            raise RestoreError(f"The database is as it was: {error}.") from error
        _replace_broken(database, temporary, former)
    # Remove copies that killed restores left.
    remove_abandoned(database)
    return former


def _overwrite(database: Path, temporary: Path) -> None:
    """Replace all content in one transaction.

    It waits for statements outside of transactions: see decision 0012.
    """
    with _opened(temporary, "rw") as source, _opened(database, "rw") as target:
        target.execute("PRAGMA journal_mode=WAL")
        target.execute("PRAGMA synchronous=FULL")
        # The content is replaced, not the file: processes that have the file open would
        # keep the former one.
        source.backup(target)
        # The former content must not stay in the write-ahead log.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _replace_broken(database: Path, temporary: Path, former: Path | None) -> None:
    """Replace the file of a database that SQLite cannot read, if no process has it open."""
    with database.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKS, _LOCKS_FROM)
        except BlockingIOError as error:
            raise RestoreError(
                "The database is damaged, and in use: stop the server first."
            ) from error
        if former is not None:
            former.hardlink_to(database)
        for ending in ("-wal", "-shm"):
            left = database.with_name(f"{database.name}{ending}")
            with suppress(FileNotFoundError):
                if former is None:
                    left.unlink()
                else:
                    left.rename(former.with_name(f"{former.name}{ending}"))
        with _opened(temporary, "rw") as closed:
            # The file replaces another one without its write-ahead log, so it must not
            # need one.
            closed.execute("PRAGMA journal_mode=DELETE")
        temporary.replace(database)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let only one process at a time restore a database in a folder.

    Raises:
        RestoreError: another process does, or migrates one.
    """
    lock = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RestoreError(
                f"Another restore, or a migration, is under way in {folder}."
            ) from error
        yield
    finally:
        os.close(lock)


def _is_whole(database: Path) -> bool:
    try:
        require_whole(database)
    except sqlite3.Error:
        return False
    return True


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    opened = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=_BUSY_SECONDS
    )
    with closing(opened):
        yield opened


def _moment() -> str:
    return timezone.now().strftime("%Y%m%d-%H%M%S")
