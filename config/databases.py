"""Django's settings for the database that DATABASE_URL names."""

from typing import Final
from urllib.parse import urlsplit

import dj_database_url
import psycopg
from psycopg.conninfo import make_conninfo

from config.startup_errors import StartError

_ENGINES: Final = {
    "django.db.backends.sqlite3": {"sqlite", "sqlite3"},
    "django.db.backends.postgresql": {"postgres", "postgresql", "pgsql"},
}
TAKEN_BY_DATABASE_URL: Final = (
    "sqlite:///name (a path from here), sqlite:////path, or"
    " postgres://user:password@host:5432/name; what is special in a password is"
    " percent-encoded"
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
_POSTGRES_OPTIONS: Final = {
    # One hung transaction must not hold up every writer: all tick one clock.
    "options": "-c idle_in_transaction_session_timeout=60s -c lock_timeout=20s",
    # The same few statements over and over: PostgreSQL plans each of them once
    # for a connection, a fifth of what a page costs.
    "server_side_binding": True,
    "prepare_threshold": 5,
}


def database_settings(url: str) -> dj_database_url.DBConfig:
    """Django's settings for the database of a URL.

    Raises:
        StartError: the URL is not that of an SQLite or PostgreSQL database.
    """
    database = _parsed(url)
    if database["ENGINE"] == "django.db.backends.sqlite3":
        # With a fair write lock: SQLite's own waiting can starve a writer.
        database["ENGINE"] = "config.sqlite"
        # As for Django's own; pytest-xdist would name files for another one's.
        database["TEST"] = {"NAME": ":memory:"}
        database["OPTIONS"] = {**_SQLITE_OPTIONS}
    else:
        # Options of the URL, such as sslmode=verify-full.
        given = database.get("OPTIONS", {})
        database["OPTIONS"] = {**given, **_POSTGRES_OPTIONS}
    return database


def _parsed(url: str) -> dj_database_url.DBConfig:
    try:
        parsed = dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)
    except ValueError as error:
        raise _bad_database() from error
    scheme = urlsplit(url).scheme
    if scheme not in _ENGINES.get(parsed.get("ENGINE", ""), set()):
        raise _bad_database()
    if scheme.startswith("sqlite"):
        _require_file(url, parsed)
    else:
        _require_names(parsed)
    return parsed


def _bad_database() -> StartError:
    return StartError(f"DATABASE_URL takes {TAKEN_BY_DATABASE_URL}.")


def _require_file(url: str, parsed: dj_database_url.DBConfig) -> None:
    """Refuse a database in memory: each process would have its own, and lose it at its end.

    A URL with only two slashes would name one, too: a host follows two slashes.
    """
    parts = urlsplit(url)
    if (
        parts.netloc
        or not parts.path.strip("/")
        or str(parsed["NAME"]).startswith((":memory:", "file:"))
        or not url.startswith(f"{parts.scheme}:///")
    ):
        raise StartError(
            "DATABASE_URL names no file: it takes three slashes before a path from"
            " here (sqlite:///name), four before one from the root (sqlite:////path)."
        )
    if parts.query or parts.fragment:
        raise StartError("DATABASE_URL takes nothing after the path of an SQLite file.")


def _require_names(parsed: dj_database_url.DBConfig) -> None:
    if not parsed.get("NAME"):
        raise StartError(
            "DATABASE_URL names no database: postgres://user:password@host:5432/name."
        )
    try:
        make_conninfo("", **parsed.get("OPTIONS", {}))
    except psycopg.Error as error:
        raise StartError(
            "DATABASE_URL takes only libpq's connection parameters after its ?."
        ) from error
