"""Many write at once: nothing is lost, doubled or miscounted, and nobody is refused."""

from collections.abc import Callable

import pytest
from django.db import connection

from tests.live_server import LiveServer
from tests.prove.acknowledged_writes import check_account, check_database
from tests.prove.load import Load

# Processes, and messages that each of as many writers sends.
SIZES = {"sqlite": (8, 250), "postgresql": (16, 500)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("processes", "sends"),
    [
        pytest.param(1, 20, id="one process"),
        pytest.param(3, 30, id="several"),
        pytest.param(*SIZES[connection.vendor], id="long", marks=pytest.mark.long),
    ],
)
def test_of_concurrent_writes_none_is_lost_doubled_or_refused(
    live_server_processes: Callable[[int], LiveServer],
    processes: int,
    sends: int,
    record_property: Callable[[str, object], None],
) -> None:
    load = Load.of(live_server_processes(processes), writers=max(processes, 3))
    with load.running(sends=sends):
        pass
    record_property("acknowledged writes", load.server_state.acknowledged)
    assert load.server_state.setbacks == []
    assert sum(writer.sent for writer in load.writers) == sends * len(load.writers)
    check_account(load)
    check_database(load)
