"""Django's settings for the database that DATABASE_URL names, and for the way past a pooler."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import dj_database_url
import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.startup_errors import StartError

_SQLITE: Final = frozenset({"sqlite", "sqlite3"})
_POSTGRES: Final = frozenset({"postgres", "postgresql", "pgsql"})
DIRECT: Final = "PARLEY_DIRECT_DATABASE_URL"
_OF_POSTGRES: Final = (
    "postgres://user:password@host:5432/name; what is special in a password is"
    " percent-encoded"
)
TAKEN_BY_DATABASE_URL: Final = (
    f"sqlite:///name (a path from here), sqlite:////path, or {_OF_POSTGRES}"
)


# IMMEDIATE takes the write lock at the start of a transaction, so that
# read-then-write never fails with "database is locked"; FULL loses no
# acknowledged write when the power goes; and what is deleted is overwritten,
# which not every build of SQLite does by itself.
_SQLITE_OPTIONS: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
    ),
}
# One hung transaction must not hold up for long who waits for its rows.
_POSTGRES_TIMEOUTS: Final = (
    "-c idle_in_transaction_session_timeout=60s -c lock_timeout=20s"
)
_POSTGRES_OPTIONS: Final = {
    # The same few statements over and over: PostgreSQL plans each of them once
    # for a connection, a fifth of what a page costs.
    "server_side_binding": True,
    "prepare_threshold": 5,
}
# A pooler refuses or ignores `options`, and may give a statement that one client
# prepared to another, which then reads the answer to another question.
_POOLED_OPTIONS: Final = {"server_side_binding": True, "prepare_threshold": None}


def is_postgres(url: str) -> bool:
    return url.partition(":")[0] in _POSTGRES


def database_settings(url: str, *, pooled: bool = False) -> dj_database_url.DBConfig:
    """Django's settings for the database of a URL; `pooled` if a pooler answers there.

    Raises:
        StartError: the URL is not that of an SQLite or PostgreSQL database.
    """
    scheme = url.partition(":")[0]
    if pooled and scheme in _SQLITE:
        raise StartError("PARLEY_DATABASE_POOLER is for PostgreSQL, not for SQLite.")
    if scheme in _SQLITE:
        return _sqlite_settings(url)
    if is_postgres(url):
        return _postgres_settings(url, pooled=pooled)
    raise _bad_database()


def direct_database_settings(url: str) -> dj_database_url.DBConfig | None:
    """Those of the database that a pooler stands before; None without a URL.

    Raises:
        StartError: the URL is not that of a PostgreSQL database.
    """
    if not url:
        return None
    if not is_postgres(url):
        raise _bad_postgres(DIRECT)
    return _postgres_settings(url, variable=DIRECT)


def _sqlite_settings(url: str) -> dj_database_url.DBConfig:
    try:
        database = dj_database_url.parse(url, conn_max_age=None)
    except ValueError as error:
        raise _bad_database() from error
    _require_file(url, str(database["NAME"]))
    # With a fair write lock: SQLite's own waiting can starve a writer.
    database["ENGINE"] = "config.sqlite"
    # As for Django's own; pytest-xdist would name files for another one's.
    database["TEST"] = {"NAME": ":memory:"}
    database["OPTIONS"] = {**_SQLITE_OPTIONS}
    return database


def _postgres_settings(
    url: str, *, variable: str = "DATABASE_URL", pooled: bool = False
) -> dj_database_url.DBConfig:
    """By libpq's own parser: with several hosts, for a failover, and all its parameters."""
    try:
        given = conninfo_to_dict(f"postgresql:{url.partition(':')[2]}")
    except psycopg.ProgrammingError as error:
        if "query parameter" in str(error):
            raise StartError(
                f"{variable} takes only libpq's connection parameters after its ?."
            ) from error
        raise _bad_postgres(variable) from error
    host, port, name = (str(given.pop(key, "")) for key in ("host", "port", "dbname"))
    if not name:
        raise StartError(
            f"{variable} names no database: postgres://user:password@host:5432/name."
        )
    # libpq takes a `#` as it is, which for others ends the address.
    if "#" in url or not all(map(_is_port, filter(None, port.split(",")))):
        raise _bad_postgres(variable)
    return {
        "ENGINE": "config.postgresql",
        "HOST": host,
        "PORT": port,
        "NAME": name,
        "USER": str(given.pop("user", "")),
        "PASSWORD": str(given.pop("password", "")),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # By this, Django names a pooler too.
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
        "OPTIONS": {**given, **(_POOLED_OPTIONS if pooled else _direct_options(given))},
    }


def _direct_options(given: Mapping[str, object]) -> Mapping[str, object]:
    # What the URL says comes last, and holds.
    options = f"{_POSTGRES_TIMEOUTS} {given.get('options', '')}".rstrip()
    return {**_POSTGRES_OPTIONS, "options": options}


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 2**16


def _bad_database() -> StartError:
    return StartError(f"DATABASE_URL takes {TAKEN_BY_DATABASE_URL}.")


def _bad_postgres(variable: str) -> StartError:
    if variable == "DATABASE_URL":
        return _bad_database()
    return StartError(f"{variable} takes {_OF_POSTGRES}.")


def _require_file(url: str, name: str) -> None:
    """Refuse a database in memory: each process would have its own, and lose it at its end.

    A URL with only two slashes would name one, too: a host follows two slashes.
    """
    parts = urlsplit(url)
    if (
        parts.netloc
        or not parts.path.strip("/")
        or name.startswith((":memory:", "file:"))
        or not url.startswith(f"{parts.scheme}:///")
    ):
        raise StartError(
            "DATABASE_URL names no file: it takes three slashes before a path from"
            " here (sqlite:///name), four before one from the root (sqlite:////path)."
        )
    if parts.query or parts.fragment:
        raise StartError("DATABASE_URL takes nothing after the path of an SQLite file.")
