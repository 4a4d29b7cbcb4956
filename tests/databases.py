"""Migrated databases, each a copy of one that was migrated once.

Migrating takes longer than most tests do. On SQLite the original is a file that later
runs find again, until something changes that it follows from; on PostgreSQL it is a
template database of this process, which drops it when it ends.
"""

import atexit
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

_BASE: Final = Path(__file__).parents[1]
_ORIGINALS: Final = _BASE / "var" / "tests"

# One for all connections of this process.
_MEMORY: Final = "file:memorydb_default?mode=memory&cache=shared"

_MOST_DEAD_ROWS: Final = 5_000

# What a migrated database follows from.
_SOURCES: Final = (
    "config/databases.py",
    "config/settings.py",
    "messaging/migrations/*.py",
    "messaging/models/*.py",
    "messaging/services/installation.py",
    "requirements/dev.txt",
)


def migrate(environment: Mapping[str, str], *target: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", *target],
        env=environment,
        cwd=_BASE,
        check=True,
    )


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """The address of a new, empty database, of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'live.sqlite3'}"
        return
    with _postgres_database(template="template1") as url:
        yield url


@contextmanager
def migrated_database(folder: Path) -> Iterator[str]:
    """The address of a new database that is migrated."""
    if connection.vendor == "sqlite":
        copy = folder / "live.sqlite3"
        copy.touch(mode=0o600)
        shutil.copyfile(_original_file(), copy)
        yield f"sqlite:///{copy}"
        return
    with _postgres_database(template=_original_name()) as url:
        yield url


def url_of_own_database() -> str:
    """For other processes: that of PostgreSQL which this process's tests are run on."""
    own = settings.DATABASES["default"]
    authority = f"{own['USER']}:{own['PASSWORD']}@{own['HOST']}"
    return f"postgres://{authority}:{own['PORT'] or 5432}/{own['NAME']}"


def connection_to(url: str) -> BaseDatabaseWrapper:
    """A connection to the database of this address, not open yet."""
    other = connection.copy()
    other.settings_dict["NAME"] = urlsplit(url).path.removeprefix("/")
    return other


@contextmanager
def own_database() -> Iterator[None]:
    """Connect this process to a migrated database of its own."""
    if connection.vendor == "sqlite":
        _connect_to(_MEMORY)
        with closing(sqlite3.connect(_original_file())) as original:
            original.backup(connection.connection)
        yield
        return
    with _postgres_database(template=_original_name()) as url:
        _connect_to(_name_in(url))
        yield
        connections.close_all()


def analyze(*models: type[Model]) -> None:
    """Update PostgreSQL's statistics of these tables, or of all.

    It does so by itself after many writes, unless `autovacuum` is off as on some servers.
    But it sees no rows of an open transaction, and a test's is never committed:
    dead rows of earlier tests would stand in its statistics, and none of this one's. Of
    plans made by those, some take hours.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            tables = ", ".join(model._meta.db_table for model in models)
            cursor.execute(f"ANALYZE {tables}")


def remove_dead_rows() -> None:
    """Have PostgreSQL forget the rows of tests that were rolled back, if they are many.

    Autovacuum does so where it is on. Where it is not, all later tests would read them.
    """
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(sum(n_dead_tup), 0) FROM pg_stat_user_tables")
        (dead,) = cursor.fetchone()
        if dead > _MOST_DEAD_ROWS:
            cursor.execute("VACUUM")


def _connect_to(name: str) -> None:
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    connection.ensure_connection()


@cache
def _original_file() -> Path:
    original = _ORIGINALS / f"migrated-{_digest()}.sqlite3"
    if not original.exists():
        _ORIGINALS.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: other processes look for it, or make it too.
        with TemporaryDirectory(dir=_ORIGINALS) as folder:
            made = Path(folder) / original.name
            _make_original(f"sqlite:///{made}", folder)
            made.rename(original)
    return original


def _digest() -> str:
    paths = sorted(path for source in _SOURCES for path in _BASE.glob(source))
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]


def _make_original(url: str, folder: str) -> None:
    # With no mutant, whichever is tried: later runs find this again.
    apart = {"PARLEY_DATA_DIR": folder, "MUTANT_UNDER_TEST": ""}
    migrate({**os.environ, **apart, "DATABASE_URL": url})


@cache
def _original_name() -> str:
    database = _postgres_database(template="template1")
    url = database.__enter__()
    atexit.register(database.__exit__, None, None, None)
    with TemporaryDirectory() as folder:
        _make_original(url, folder)
    return _name_in(url)


def _name_in(url: str) -> str:
    return url.rpartition("/")[2]


@contextmanager
def _postgres_database(*, template: str) -> Iterator[str]:
    name = f"parley_live_{secrets.token_hex(6)}"
    base = settings.DATABASES["default"]
    conninfo = psycopg.conninfo.make_conninfo(
        host=base["HOST"],
        port=base["PORT"] or None,
        user=base["USER"],
        password=base["PASSWORD"] or None,
        dbname="postgres",
    )
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            authority = f"{base['USER']}:{base['PASSWORD']}@{base['HOST']}"
            yield f"postgres://{authority}:{base['PORT'] or 5432}/{name}"
        finally:
            server.execute(drop.format(sql.Identifier(name)))
