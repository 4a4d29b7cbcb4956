"""Vacuums PostgreSQL after an account was deleted; see decision 0020."""

import logging
import time
from threading import Event
from typing import Final

from django.db import Error, connection
from typing_extensions import Unpack

from messaging.erasure import Erasure, erased
from messaging.models import Message, MessageHistory, Session, User
from messaging.row_visibility import may_be_seen, visibility_horizon

logger = logging.getLogger(__name__)

# The shortest time between two vacuums, which read whole tables.
_EVERY_SECONDS: Final = 60.0
# A vacuum waits this long for transactions that may still see the deleted rows.
_PATIENCE_SECONDS: Final = 60.0

_TABLES: Final = tuple(
    model._meta.db_table for model in (User, Session, MessageHistory, Message)
)


class Vacuuming:
    """Vacuums after an account was deleted; autovacuum would wait for many more dead rows.

    A vacuum keeps rows that an open transaction may still see, and no later vacuum
    would come for them soon. So it waits until there is no such transaction.
    """

    def __init__(self) -> None:
        self._asked = Event()
        self._due = 0.0
        # While a vacuum waits: the id of the transaction before which others must end,
        # and the end of its patience.
        self._horizon: str | None = None
        self._patient_until = 0.0
        erased.connect(self._on_erased)

    def look(self) -> None:
        try:
            if self._horizon is None and self._is_due():
                self._horizon = visibility_horizon()
                self._patient_until = time.monotonic() + _PATIENCE_SECONDS
            if self._horizon is not None and self._is_useful(self._horizon):
                self._vacuum()
        except Error as error:
            self._horizon = None
            logger.warning(
                "deleted rows are left to autovacuum: %s", type(error).__name__
            )
            connection.close()

    def finish(self) -> None:
        """Does nothing: a vacuum may take longer than the process has left."""

    def _is_due(self) -> bool:
        if not self._asked.is_set() or time.monotonic() < self._due:
            return False
        # Clear it before the horizon is read: an account deleted in between sets it
        # again.
        self._asked.clear()
        return True

    def _is_useful(self, horizon: str) -> bool:
        if time.monotonic() >= self._patient_until:
            return True
        return not may_be_seen(before=horizon)

    def _vacuum(self) -> None:
        self._horizon = None
        self._due = time.monotonic() + _EVERY_SECONDS
        vacuum()
        connection.close()

    def _on_erased(self, **erasure: Unpack[Erasure]) -> None:
        if erasure["account"]:
            self._asked.set()


def vacuum() -> None:
    """Remove dead rows from the tables with messages, their history, users and sessions.

    Raises:
        django.db.Error: a table is locked, for example; others may have been vacuumed.
    """
    with connection.cursor() as cursor:
        for table in _TABLES:
            # It waits for the table's lock up to the connection's lock_timeout:
            # autovacuum gives it up within a second.
            cursor.execute(f"VACUUM (INDEX_CLEANUP ON) {table}")
