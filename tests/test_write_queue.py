"""The fair write lock of a SQLite database, over however many processes."""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

# Never waited for, unless the lock is lost.
_TIMEOUT = 60

# Says when it has the lock, and keeps it.
_HOLDER = """
import sys, django
from django.conf import settings
database = {"ENGINE": "config.sqlite", "NAME": sys.argv[1]}
settings.configure(DATABASES={"default": database})
django.setup()
from django.db import transaction
with transaction.atomic():
    print("mine", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _connected(name: str, *, timeout: int = _TIMEOUT) -> Iterator[BaseDatabaseWrapper]:
    """One more connection, under an alias of its own."""
    options = {"transaction_mode": "IMMEDIATE", "timeout": timeout}
    alias = uuid4().hex
    database = {"ENGINE": "config.sqlite", "NAME": name, "OPTIONS": options}
    connection = ConnectionHandler({"default": {}, alias: database})[alias]
    connections[alias] = connection
    try:
        yield connection
    finally:
        connection.close()
        del connections[alias]


def _is_free(database: Path) -> bool:
    """Whether somebody who does not wait at all gets the lock."""
    with _connected(str(database), timeout=0) as connection:
        try:
            with transaction.atomic(connection.alias):
                return True
        except OperationalError:
            return False


def _somebody_waits(database: Path) -> bool:
    with database.with_name(f"{database.name}-queue").open() as queue:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.fixture
def database(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    path = tmp_path / "database.sqlite3"
    with django_db_blocker.unblock():
        with _connected(str(path)) as connection, connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("CREATE TABLE owner (id INTEGER PRIMARY KEY)")
            cursor.execute(
                "CREATE TABLE pet (id INTEGER PRIMARY KEY, owner INTEGER"
                " REFERENCES owner DEFERRABLE INITIALLY DEFERRED)"
            )
        yield path


@pytest.fixture
def connection(database: Path) -> Iterator[BaseDatabaseWrapper]:
    with _connected(str(database)) as connected:
        yield connected


def test_a_repeated_writer_queues_behind_a_waiting_one(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    done = Event()

    def wait_and_write() -> bool:
        with (
            _connected(str(database)) as mine,
            transaction.atomic(mine.alias),
        ):
            return done.wait(_TIMEOUT)

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(connection.alias):
            waiting = pool.submit(wait_and_write)
            while not _somebody_waits(database):
                assert not waiting.done()
        # From now on the lock is the other's, whether they have noticed or not.
        assert not any(_is_free(database) for _ in range(100))
        done.set()
        assert waiting.result(_TIMEOUT)
    assert _is_free(database)


def test_a_process_that_is_killed_releases_its_lock(database: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mine\n"
        assert not _is_free(database)
        holder.kill()
    assert _is_free(database)


def test_a_transaction_keeps_the_write_lock_to_its_outermost_end(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    with transaction.atomic(connection.alias):
        with transaction.atomic(connection.alias):
            assert not _is_free(database)
        assert not _is_free(database)
        with (
            pytest.raises(ZeroDivisionError),
            transaction.atomic(connection.alias),
        ):
            raise ZeroDivisionError
        assert not _is_free(database)
    assert _is_free(database)


def test_a_rollback_releases_the_write_lock(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        transaction.atomic(connection.alias),
    ):
        raise ZeroDivisionError
    assert _is_free(database)


def test_a_failed_commit_releases_the_write_lock(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(connection.alias),
        connection.cursor() as cursor,
    ):
        cursor.execute("INSERT INTO pet (owner) VALUES (1)")
    assert _is_free(database)


def test_a_closed_connection_releases_the_write_lock(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    with transaction.atomic(connection.alias):
        connection.close()
        assert _is_free(database)


def test_a_transaction_that_cannot_begin_releases_the_write_lock(
    database: Path,
) -> None:
    with (
        _connected(str(database)) as outsider,
        _connected(str(database), timeout=0) as refused,
    ):
        # A statement outside of Django's transactions takes only SQLite's own lock.
        outsider.ensure_connection()
        outsider.connection.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(OperationalError, match="locked"),
            transaction.atomic(refused.alias),
        ):
            pass
        outsider.connection.execute("ROLLBACK")
        assert _is_free(database)


def test_the_files_are_for_whoever_may_use_the_database(
    database: Path, connection: BaseDatabaseWrapper
) -> None:
    database.chmod(0o600)
    with transaction.atomic(connection.alias):
        pass
    made = database.parent.glob("*.sqlite3-[qt]*")
    assert {file.stat().st_mode & 0o777 for file in made} == {0o600}


def test_in_memory_there_is_nobody_to_wait_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        django_db_blocker.unblock(),
        _connected(":memory:") as connection,
        transaction.atomic(connection.alias),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
