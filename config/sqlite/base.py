"""Django's SQLite backend, whose transactions take turns; see decision 0012.

A transaction takes its turn before `BEGIN` and gives it back when it has ended. A
statement outside of transactions waits the way SQLite does. Databases in memory, which
no other process can write to, take no turns.
"""

import sqlite3
from pathlib import Path

from django.db import OperationalError
from django.db.backends.sqlite3 import base
from django.utils.asyncio import async_unsafe
from typing_extensions import override

from config.sqlite.turns import WriteTurn


class DatabaseWrapper(base.DatabaseWrapper):
    _turn: WriteTurn | None = None

    @override
    @async_unsafe
    def get_new_connection(self, conn_params: dict[str, object]) -> sqlite3.Connection:
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        _, _, file = connection.execute("PRAGMA database_list").fetchone()
        self._turn = WriteTurn(Path(file)) if file else None
        return connection

    @override
    def set_autocommit(
        self,
        autocommit: bool,
        force_begin_transaction_with_broken_autocommit: bool = False,
    ) -> None:
        begins = force_begin_transaction_with_broken_autocommit and not autocommit
        if begins:
            self.ensure_connection()
            self._take_turn()
        try:
            super().set_autocommit(
                autocommit, force_begin_transaction_with_broken_autocommit
            )
        except BaseException:
            if begins:
                self._give_turn_back()
            raise

    @override
    @async_unsafe
    def commit(self) -> None:
        super().commit()
        # A commit that failed has left the transaction open.
        self._give_turn_back()

    @override
    @async_unsafe
    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._give_turn_back()

    @override
    @async_unsafe
    def close(self) -> None:
        try:
            super().close()
        finally:
            self._give_turn_back()

    def _take_turn(self) -> None:
        if self._turn is None:
            return
        try:
            self._turn.take(patience=self._patience())
        except TimeoutError as error:
            raise OperationalError("database is locked: no turn to write") from error

    def _give_turn_back(self) -> None:
        if self._turn is not None:
            self._turn.give_back()

    def _patience(self) -> float:
        """Seconds, as SQLite itself would wait on this connection."""
        (milliseconds,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        return float(milliseconds) / 1000
