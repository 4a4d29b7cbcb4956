"""While the channel that wakes streams is down, news is late, and none is lost."""

import shutil
from contextlib import ExitStack, nullcontext
from pathlib import Path

import pytest
from django.db import connection

from tests.live.concurrent_calls import start_group
from tests.live.event_stream import logged, open_stream
from tests.live.expected_events import expected_events, type_and_sequence, write
from tests.live_server import LiveServer, free_port, served_database
from tests.redis_servers import redis_at

pytestmark = [
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="SQLite needs nobody to wake it"
    ),
    pytest.mark.skipif(
        shutil.which("redis-server") is None, reason="no redis-server to stop"
    ),
]


@pytest.mark.django_db
def test_redis_stopped_and_started_again_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    with ExitStack() as stack:
        environment = stack.enter_context(served_database(tmp_path))
        redis_url = f"redis://127.0.0.1:{port}/0"
        server = LiveServer.start({**environment, "REDIS_URL": redis_url}, processes=2)
        stack.callback(server.stop)
        ann, bob = server.register("ann"), server.register("bob")
        writer, reader = server.client(0, ann), server.client(1, bob)
        conversation = start_group(writer, bob)
        received = logged(stack.enter_context(open_stream(reader)))
        assert next(received).type == "ready"
        found = []
        for running in (True, False, True):
            with redis_at(port, tmp_path) if running else nullcontext():
                write(writer, conversation, 20)
                found += [type_and_sequence(next(received)) for _ in range(40)]
    assert found == expected_events(60)
