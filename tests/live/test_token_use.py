"""Recording that a token was used must not make a reader wait."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus

import psycopg
import pytest

from tests.live_server import LiveServer

# Less than a writer waits for another one.
TIMEOUT = 10

OLDEN = "2020-01-01 00:00:00"


@contextmanager
def busy_database(url: str) -> Iterator[None]:
    """Another writer, who holds the lock that recording a use would take."""
    aged = f"UPDATE messaging_accesstoken SET last_used_at = '{OLDEN}'"  # noqa: S608  # our own
    touched = "UPDATE messaging_accesstoken SET name = name"
    if url.startswith("sqlite:"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as file:
            file.execute(aged)
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url) as server:
        server.execute(aged)
        server.commit()
        server.execute(touched)
        yield


@pytest.mark.django_db
def test_reading_does_not_wait_for_a_writer(
    live_server_processes: Callable[[int], LiveServer],
) -> None:
    server = live_server_processes(1)
    ann = server.client(person=server.register("ann"))
    with busy_database(server.environment["DATABASE_URL"]):
        during = ann.get("/auth/tokens", timeout=TIMEOUT)
        assert during.status_code == HTTPStatus.OK
        assert during.json()["items"][0]["last_used_at"].startswith("2020")
    after = ann.get("/auth/tokens").json()["items"][0]
    assert not after["last_used_at"].startswith("2020")
