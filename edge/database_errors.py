"""Classifies database errors: a row is gone, the database is unavailable, or there is a bug."""

import sqlite3
from typing import Final

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError

# SQLSTATEs of PostgreSQL: it has rolled back the transaction of a process that hung
# (idle_in_transaction_session_timeout), or takes no writes, as a standby.
_AWAY: Final = frozenset({"25P03", "25006"})


def refers_to_what_is_gone(error: BaseException | None) -> bool:
    """Whether a row that a write refers to was deleted meanwhile.

    PostgreSQL distinguishes this from deleting a row that others refer to; SQLite does
    not.
    """
    if not isinstance(error, IntegrityError):
        return False
    reason = str(error.__cause__).lower()
    return "foreign key" in reason and "update or delete on table" not in reason


def database_is_away(error: BaseException | None) -> bool:
    """Whether the database is down, busy or full. A statement that it cannot run is a bug
    instead.
    """
    if not isinstance(error, OperationalError | InterfaceError | InternalError):
        return False
    cause = error.__cause__
    if isinstance(error, InternalError):
        return getattr(cause, "sqlstate", None) in _AWAY
    return not (
        isinstance(cause, sqlite3.OperationalError)
        and cause.sqlite_errorcode == sqlite3.SQLITE_ERROR
    )
