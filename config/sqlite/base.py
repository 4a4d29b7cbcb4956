"""Django's SQLite backend with a fair write lock; see decision 0012.

A transaction acquires the lock before `BEGIN`, and releases it after its end. A
statement outside of transactions waits in SQLite's own way. In threads for reads
neither waits: see `config.sqlite.lock_waits`. A database in memory needs no lock, since
no other process can write to it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.utils.asyncio import async_unsafe
from typing_extensions import override

from config.sqlite.files import make_database
from config.sqlite.lock_waits import never_waits, note_met_lock
from config.sqlite.schema import SchemaEditor
from config.sqlite.write_queue import WriteLock


class _Cursor(base.SQLiteCursorWrapper):
    @override
    def execute(  # type: ignore[override]  # as Django calls it
        self, query: str, params: Iterable[object] | None = None
    ) -> base.SQLiteCursorWrapper:
        try:
            return super().execute(query, params)
        except sqlite3.OperationalError as error:
            # The lowest byte of an extended error code is the primary code.
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                note_met_lock()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor

    _write_lock: WriteLock | None = None

    @override
    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, object]) -> sqlite3.Connection:
        if not (name := str(conn_params["database"])).startswith((":memory:", "file:")):
            make_database(Path(name))
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        # The file is empty for a database in memory.
        _, _, file = connection.execute("PRAGMA database_list").fetchone()
        self._write_lock = WriteLock(Path(file)) if file else None
        if never_waits():
            connection.execute("PRAGMA busy_timeout = 0")
        return connection

    @override
    def create_cursor(self, name: str | None = None) -> _Cursor:
        cursor: _Cursor = self.connection.cursor(factory=_Cursor)
        return cursor

    @override
    def set_autocommit(
        self,
        autocommit: bool,
        force_begin_transaction_with_broken_autocommit: bool = False,
    ) -> None:
        begins = force_begin_transaction_with_broken_autocommit and not autocommit
        if begins:
            self.ensure_connection()
            self._acquire_write_lock()
        try:
            super().set_autocommit(
                autocommit, force_begin_transaction_with_broken_autocommit
            )
        except BaseException:
            if begins:
                self._release_write_lock()
            raise

    @override
    @async_unsafe
    def commit(self) -> None:
        super().commit()
        # Only after a success: a commit that fails leaves the transaction open.
        self._release_write_lock()

    @override
    @async_unsafe
    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._release_write_lock()

    @override
    @async_unsafe
    def close(self) -> None:
        try:
            super().close()
        finally:
            self._release_write_lock()

    @contextmanager
    def writing_alone(self) -> Iterator[None]:
        """Hold the write lock, without opening the database.

        Raises:
            TimeoutError: other writers held the lock all the time.
        """
        database = Path(self.settings_dict["NAME"])
        make_database(database)
        write_lock = WriteLock(database)
        write_lock.acquire(timeout=float(self.settings_dict["OPTIONS"]["timeout"]))
        try:
            yield
        finally:
            write_lock.release()

    def _acquire_write_lock(self) -> None:
        if self._write_lock is None:
            return
        try:
            self._write_lock.acquire(timeout=self._busy_timeout())
        except TimeoutError as error:
            note_met_lock()
            raise OperationalError(
                "database is locked: others held the write lock"
            ) from error

    def _release_write_lock(self) -> None:
        if self._write_lock is not None:
            self._write_lock.release()

    def _busy_timeout(self) -> float:
        """The seconds that SQLite itself would wait on this connection."""
        (milliseconds,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        return float(milliseconds) / 1000
