"""What PostgreSQL's files still hold of who deleted their account, and until when."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.live.test_deleted_bytes import close_account, live_busily, manage
from tests.live.vacuumed_tables import (
    PATIENCE_SECONDS,
    TABLES,
    await_vacuumed,
    dead_rows,
)
from tests.live_server import served_database, serving

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="reads PostgreSQL's files"
    ),
]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    with served_database(tmp_path) as environment:
        yield environment


@pytest.fixture
def database(environment: Mapping[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as database:
        yield database


def where(database: psycopg.Connection, *secrets: str) -> list[str]:
    """The tables and indexes whose files hold any of these."""
    database.execute("CHECKPOINT")
    files = database.execute(
        "SELECT relname, pg_read_binary_file(pg_relation_filepath(oid))"
        " FROM pg_class WHERE relname LIKE 'messaging_%' AND relkind IN ('r', 'i', 't')"
    ).fetchall()
    return sorted(
        name for name, raw in files if any(secret.encode() in raw for secret in secrets)
    )


def test_a_deletion_has_its_rows_vacuumed_and_a_scrub_takes_their_bytes(
    environment: Mapping[str, str], database: psycopg.Connection
) -> None:
    with serving(environment, processes=1) as server:
        ann, bob = server.register("ann"), server.register("bob")
        server.add_process()
        live_busily(server, ann, bob)
        assert set(where(database, "zeppelin", ann.username)) >= set(TABLES)
        close_account(server, ann)
        await_vacuumed(database)
        manage(environment, "scrub")
        assert where(database, "zeppelin", ann.username) == []
        assert server.client(0, bob).get("/me").status_code == 200


def await_waiting_vacuum(database: psycopg.Connection) -> None:
    """Until a server has looked whether somebody may still see the deleted rows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    looked = (
        "SELECT FROM pg_stat_activity WHERE query LIKE '%age(backend_xmin)%'"
        " AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    while not database.execute(looked).fetchall():
        assert time.monotonic() < deadline, "no vacuum waits"
        time.sleep(0.1)


@contextmanager
def snapshot(url: str) -> Iterator[None]:
    """A transaction that reads on as the database was, in the same database."""
    with psycopg.connect(url) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT FROM messaging_message")
        yield


@contextmanager
def writer_elsewhere(url: str) -> Iterator[None]:
    """A transaction that writes in another database of the cluster.

    Whoever reads here takes a snapshot meanwhile that goes back to its beginning.
    """
    with psycopg.connect(url, dbname="postgres") as writer:
        writer.execute("SELECT pg_current_xact_id()")
        yield


@pytest.mark.parametrize("transaction", [snapshot, writer_elsewhere])
def test_rows_that_somebody_may_still_see_are_vacuumed_once_they_may_not(
    transaction: Callable[[str], AbstractContextManager[None]],
    environment: Mapping[str, str],
    database: psycopg.Connection,
) -> None:
    with serving(environment, processes=1) as server:
        ann, bob = server.register("ann"), server.register("bob")
        server.add_process()
        live_busily(server, ann, bob)
        with transaction(environment["DATABASE_URL"]):
            close_account(server, ann)
            await_waiting_vacuum(database)
            assert dead_rows(database) != 0
            with pytest.raises(subprocess.CalledProcessError):
                manage(environment, "scrub", "--max-wait", "0.1")
            assert where(database, "zeppelin") != []
        await_vacuumed(database)
        manage(environment, "scrub")
        assert where(database, "zeppelin") == []
