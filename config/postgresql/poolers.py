"""Whether a pooler answers in PostgreSQL's place, and one that fits; see decision 0044."""

from typing import Final

import psycopg
from django.db import Error, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from config.startup_errors import StartError

# As PgBouncer writes it.
_REFUSES_PARAMETER: Final = "unsupported startup parameter"
_OF_STATEMENTS: Final = "statement pooling mode"
# Whatever set the timeouts counts: the role, the database or postgresql.conf.
_ROLE_AND_TIMEOUTS: Final = """\
SELECT quote_ident(session_user), current_setting('lock_timeout'),
current_setting('idle_in_transaction_session_timeout')"""


class UndeclaredPoolerError(OperationalError):
    """A pooler answers where no setting says so."""

    def __init__(self) -> None:
        super().__init__(
            "a pooler answers in PostgreSQL's place, which only DATABASE_URL may name,"
            " together with PARLEY_DATABASE_POOLER=on (README.md, Through a pooler)"
        )


def is_declared(database: BaseDatabaseWrapper) -> bool:
    """Whether this connection is said to lead to a pooler: see `database_settings`."""
    return bool(database.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"))


def is_refusal_of_pooler(error: psycopg.Error) -> bool:
    """Whether a connection was refused for its `options`, which PostgreSQL takes."""
    return _REFUSES_PARAMETER in str(error)


def is_pooled(direct: psycopg.Connection) -> bool:
    """Whether the process that answers is not the one that the connection was made to.

    A pooler lets a client in before it has a process for it, and so makes a number up.
    """
    asked = direct.execute("SELECT pg_backend_pid()").fetchone()
    return asked != (direct.info.backend_pid,)


def require_fit_pooler() -> None:
    """Refuse a pooler of statements, and a role without the timeouts of a direct connection.

    Raises:
        StartError
        Error: the database does not answer.
    """
    if not is_declared(connection):
        return
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ROLE_AND_TIMEOUTS)
            role, lock, idle = cursor.fetchone()
    except Error as error:
        if _OF_STATEMENTS not in str(error):
            raise
        raise StartError(
            "DATABASE_URL: the pooler takes no transactions: its pool_mode has to be"
            " transaction."
        ) from error
    missing = [
        f"ALTER ROLE {role} SET {name} = '{wanted}';"
        for name, wanted, found in (
            ("lock_timeout", "20s", lock),
            ("idle_in_transaction_session_timeout", "60s", idle),
        )
        if found == "0"
    ]
    if missing:
        raise StartError(
            "DATABASE_URL: through a pooler a transaction that hangs would hold up others"
            f" for ever. Run {' '.join(missing)} Then have the pooler RECONNECT."
        )
