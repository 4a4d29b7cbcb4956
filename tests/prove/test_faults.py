"""A disk that is full and a clock that is wrong, under load."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection

from tests.live_server import LiveServer, served_database
from tests.prove.acknowledged_writes import check_account, check_database
from tests.prove.faults import faulty, full_disk, move_clock
from tests.prove.load import Load
from tests.prove.server_state import problem_code
from tests.prove.writers_and_guests import Writer

PROCESSES = 2
HOUR = 3600
# Each needs pages of its own.
LONG = "long " * 900

sizes = pytest.mark.parametrize(
    "writes",
    [
        pytest.param(60, id="short"),
        pytest.param(1500, id="long", marks=pytest.mark.long),
    ],
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with served_database(tmp_path) as environment:
        # With limits, whose windows go by the clock, and whose counters are writes.
        limits = {"PARLEY_RATE_LIMITS": "on"}
        server = LiveServer.start(
            faulty({**environment, **limits}), processes=PROCESSES
        )
        try:
            yield server
        finally:
            server.stop()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the file is SQLite's")
@sizes
def test_a_full_disk_refuses_writes_and_loses_none(
    server: LiveServer, writes: int
) -> None:
    load = Load.of(server, writers=4)
    with load.running():
        load.await_more(writes)
        with load.disturbed(), full_disk(server.environment):
            _fill(load.bystander)
            load.await_setbacks()
            assert load.bystander.client.get("/inbox").status_code == HTTPStatus.OK
        load.await_more(writes)
    assert {setback.code for setback in load.server_state.setbacks} == {
        "database_unavailable"
    }
    assert load.faults() == []
    assert load.bystander.say(LONG).status_code == HTTPStatus.CREATED
    check_account(load)
    check_database(load)


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
@sizes
def test_a_clock_that_jumps_disturbs_nothing(
    server: LiveServer, writes: int, seconds: int
) -> None:
    load = Load.of(server, writers=4)
    with load.running():
        load.await_more(writes)
        move_clock(server.environment, seconds)
        load.await_more(writes)
        move_clock(server.environment, 0)
        load.await_more(writes)
    assert load.server_state.setbacks == []
    check_account(load)
    check_database(load)


def _fill(writer: Writer) -> None:
    """Send until nothing fits any more."""
    for _ in range(1000):
        answer = writer.say(LONG)
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            assert problem_code(answer) == "database_unavailable"
            return
        assert answer.status_code == HTTPStatus.CREATED, answer.text
    raise AssertionError("it never was full")
