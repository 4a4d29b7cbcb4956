"""Django's PostgreSQL backend, with fewer questions to its connections, and one more.

It asks only an idle one whether it is alive, and each new one whether a pooler answers
that no setting tells of.
"""

import math
import select
import time
from typing import Final

import psycopg
from django.db.backends.postgresql import base
from typing_extensions import override

from config.postgresql.poolers import (
    UndeclaredPoolerError,
    is_declared,
    is_pooled,
    is_refusal_of_pooler,
)
from config.postgresql.schema import SchemaEditor

# A server that was ended closes its connections, which is seen without asking it. One that
# vanished with its machine is noticed by the first statement: it fails, its request is
# answered 503, and the connection is made anew for the next one.
_IDLE_SECONDS: Final = 5.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own asks `SELECT 1` before the first statement of every request: a trip more."""

    SchemaEditorClass = SchemaEditor

    # On the monotonic clock.
    _answered_at: float = -math.inf

    @override
    def get_new_connection(self, conn_params: dict[str, object]) -> psycopg.Connection:
        """Ask each new connection whether a pooler answers.

        Not at the start of a process alone: the database may be away then.

        Raises:
            UndeclaredPoolerError
        """
        if is_declared(self):
            return self._connected(conn_params)
        try:
            made = self._connected({**conn_params, "autocommit": True})
        except psycopg.OperationalError as error:
            if is_refusal_of_pooler(error):
                raise UndeclaredPoolerError from error
            raise
        try:
            pooled = is_pooled(made)
        except psycopg.Error:
            made.close()
            raise
        if pooled:
            made.close()
            raise UndeclaredPoolerError
        return made

    def _connected(self, conn_params: dict[str, object]) -> psycopg.Connection:
        made: psycopg.Connection = super().get_new_connection(conn_params)
        return made

    @override
    def close_if_health_check_failed(self) -> None:
        now = time.monotonic()
        if now - self._answered_at < _IDLE_SECONDS and self._is_silent():
            self.health_check_done = True
        else:
            super().close_if_health_check_failed()
        self._answered_at = now

    def _is_silent(self) -> bool:
        """Whether nothing came from the server unasked: its end, above all."""
        if self.connection is None:
            return True
        poll = select.poll()
        try:
            poll.register(self.connection.fileno(), select.POLLIN)
        except psycopg.Error:
            return False
        return not poll.poll(0)

    @override
    def is_usable(self) -> bool:
        """Whether the server answers, and takes writes: after a failover, it may be a standby."""
        if self.connection is None:
            return False
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SHOW transaction_read_only")
                (is_read_only,) = cursor.fetchone()
        except psycopg.Error:
            return False
        return bool(is_read_only == "off")

    @override
    def close(self) -> None:
        self._answered_at = -math.inf
        super().close()
