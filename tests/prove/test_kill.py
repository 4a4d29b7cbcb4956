"""Servers that are killed under load: what they acknowledged is there, all of it."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from statistics import median

import pytest

from tests.live_server import LiveServer
from tests.prove.acknowledged_writes import check_account, check_database
from tests.prove.load import Load

PROCESSES = 3
# Seconds.
READY_WITHIN = 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rounds", "writes"),
    [
        pytest.param(2, 60, id="short"),
        pytest.param(12, 5000, id="long", marks=pytest.mark.long),
    ],
)
def test_no_acknowledged_write_is_lost_when_servers_are_killed(
    live_server_processes: Callable[[int], LiveServer],
    rounds: int,
    writes: int,
    record_property: Callable[[str, object], None],
    request: pytest.FixtureRequest,
) -> None:
    server = live_server_processes(PROCESSES)
    load = Load.of(server, writers=2 * PROCESSES)
    # Of those that were killed alone, and of the first after all were.
    ready: list[float] = []
    recovered: list[float] = []
    with load.running():
        for number in range(rounds):
            load.await_more(writes // rounds)
            # One alone, while the others go on, and then all of them.
            victims = range(1) if number % 2 == 0 else range(PROCESSES)
            with load.disturbed():
                first, *others = _killed(server, victims)
                (recovered if others else ready).append(first)
                ready += others
    assert load.server_state.acknowledged >= writes
    assert load.server_state.setbacks, "nobody noticed"
    assert load.faults() == []
    record_property("acknowledged writes", load.server_state.acknowledged)
    for what, starts in (("start", ready), ("start after all were killed", recovered)):
        record_property(f"median {what}, s", round(median(starts), 2))
        record_property(f"slowest {what}, s", round(max(starts), 2))
        # Slower where others use the machine, too; so not one of them, but most.
        if request.node.get_closest_marker("long"):
            assert median(starts) < READY_WITHIN
    check_account(load)
    check_database(load)
    _check_file(server.environment["DATABASE_URL"])


def _killed(server: LiveServer, victims: range) -> list[float]:
    """Kill them at once, start them one by one, and say how long each took."""
    for process in victims:
        server.kill(process)
    seconds: list[float] = []
    for process in victims:
        started = time.monotonic()
        server.revive(process)
        seconds.append(time.monotonic() - started)
    return seconds


def _check_file(url: str) -> None:
    """PostgreSQL was not killed here; the processes that were had the file open."""
    if not url.startswith("sqlite:"):
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
