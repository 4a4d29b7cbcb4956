"""A message that commits late is not marked read unseen."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from tests.live.concurrent_calls import clients, send, start_group
from tests.live_server import LiveServer, Person


@contextmanager
def _message_on_its_way(
    server: LiveServer, sender: Person, receiver: Person
) -> Iterator[None]:
    """Sent by a process of its own, committed only when this ends."""
    process = subprocess.Popen(
        [
            sys.executable,
            *("-m", "tests.live.late_sender", sender.username, receiver.username),
        ],
        env={**server.environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "sent\n"
        yield
        process.communicate("commit\n")
    assert process.returncode == 0


@pytest.mark.parametrize("path", ["/inbox", "/inbox/summary"])
def test_up_to_does_not_cover_a_message_that_commits_later(
    servers: LiveServer, path: str
) -> None:
    sender, receiver = servers.register("sender"), servers.register("receiver")
    reader = servers.client(1, receiver)
    first = clients(servers, sender)[0]
    send(first, start_group(first, receiver), "seen")
    with _message_on_its_way(servers, sender, receiver):
        seen = reader.get("/inbox").json()["items"]
        assert [item["content"] for item in seen] == ["seen"]
        up_to = reader.get(path).json()["up_to"]
    reader.put("/inbox/read", json={"up_to": up_to}).raise_for_status()
    left = reader.get("/inbox").json()
    assert [item["content"] for item in left["items"]] == ["late"]
    reader.put("/inbox/read", json={"up_to": left["up_to"]}).raise_for_status()
    assert reader.get("/inbox/summary").json()["unread_count"] == 0
