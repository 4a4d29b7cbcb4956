"""Whether a database was migrated by this version, an earlier or a later one.

And that it is migrated by one process at a time: two that start together would both
find it empty, and both create its tables.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import Final

from django.apps import apps
from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

# Of PostgreSQL's advisory locks: any number that nothing else in the database uses.
_MIGRATING: Final = 7_223_102_500_128_013
_POLL_SECONDS: Final = 0.2
_WAITING: Final = "Another process migrates this database, or restores it: waiting."


def migration_lock(
    database: BaseDatabaseWrapper, *, on_wait: Callable[[str], object]
) -> AbstractContextManager[None]:
    """Wait until no other process migrates this database, and keep others waiting.

    What is missing has to be looked up within: who waited may find nothing to do.
    Waiting has no bound; `on_wait` is told before it begins.
    """
    if database.vendor == "postgresql":
        return _advisory_lock(database, on_wait)
    name = str(database.settings_dict["NAME"])
    # One in memory is this process's, and so is the copy that `restore` migrates.
    if name.startswith((":memory:", "file:")):
        return nullcontext()
    folder = Path(name).absolute().parent
    # If there is none, SQLite says so.
    return _folder_lock(folder, on_wait) if folder.is_dir() else nullcontext()


@contextmanager
def _advisory_lock(
    database: BaseDatabaseWrapper, on_wait: Callable[[str], object]
) -> Iterator[None]:
    """In a transaction on a connection of its own: a session's would stay with a pooler.

    Its end releases the lock, whatever has failed.
    """
    with closing(database.copy()) as beside:
        beside.set_autocommit(False)
        if not _is_first(beside):
            on_wait(_WAITING)
            # Asked again and again: one long statement would hold up the creation of an
            # index concurrently, and end at the connection's lock_timeout.
            while not _is_first(beside):
                time.sleep(_POLL_SECONDS)
        yield
        # So that a pooler keeps its connection. What was migrated is, even if this one
        # was cut while it was idle.
        with suppress(Error):
            beside.rollback()


def _is_first(beside: BaseDatabaseWrapper) -> bool:
    """Whether it holds the lock now; if not, its transaction is over."""
    with beside.cursor() as cursor:
        # It is idle for as long as the migrations take.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_MIGRATING])
        (held,) = cursor.fetchone()
    if not held:
        beside.rollback()
    return bool(held)


@contextmanager
def _folder_lock(folder: Path, on_wait: Callable[[str], object]) -> Iterator[None]:
    """The lock that `restore` takes, too; no file of it is left."""
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(_WAITING)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def missing_migrations() -> list[str]:
    """Migrations of this version that the database lacks."""
    loader = MigrationLoader(connection)
    wanted = set(loader.graph.leaf_nodes()) - set(loader.applied_migrations)
    return _named(wanted)


def later_migrations() -> list[str]:
    """Migrations of the database that this version does not have."""
    loader = MigrationLoader(connection)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update((app, name) for app, name in migration.replaces)
    # Only our apps: the database may have tables of others.
    ours = {config.label for config in apps.get_app_configs()}
    applied = {(app, name) for app, name in loader.applied_migrations if app in ours}
    return _named(applied - known)


def _named(migrations: set[tuple[str, str]]) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in migrations)
