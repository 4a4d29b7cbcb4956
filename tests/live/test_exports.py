"""Streamed responses over real sockets end when their client disconnects."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from django.conf import settings

from tests.live.streamed_answer import COUNTED_IN, PIECES
from tests.live_server import LiveServer, Person, free_port

Found = TypeVar("Found")
StartServers = Callable[[int], LiveServer]

_TIMEOUT = 60
# More than the sockets between two processes hold.
_MESSAGES, _LETTERS = 4000, 4900


def test_a_closed_socket_ends_an_answer_in_pieces(tmp_path: Path) -> None:
    counted, port = tmp_path / "pieces", free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            *("-m", "granian", "--interface", "asgi", "--port", str(port)),
            *("--log-level", "warning", "tests.live.streamed_answer:application"),
        ],
        env={**os.environ, COUNTED_IN: str(counted), "PARLEY_DATA_DIR": str(tmp_path)},
        cwd=settings.BASE_DIR,
    )
    try:
        reader = _until(lambda: _asked(f"http://127.0.0.1:{port}", "/", b""))
        assert reader.recv(4096)
        reader.close()
        _until(counted.exists)
    finally:
        server.terminate()
        server.wait(_TIMEOUT)
    assert int(counted.read_text()) < PIECES


@pytest.mark.django_db
def test_a_left_export_makes_room_for_the_next_at_once(
    live_server_processes: StartServers, tmp_path: Path
) -> None:
    servers = live_server_processes(2)
    person = _who_wrote_much(servers, tmp_path)
    first = _reading_export(servers, person)
    # In another process, and by somebody else.
    refused = servers.client(1, person).get("/me/export")
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.json()["code"] == "export_running"
    assert int(refused.headers["Retry-After"]) > 0
    other = servers.register("bob")
    assert servers.client(1, other).get("/me/export").is_success
    first.close()
    whole = _until(lambda: _exported(servers.client(1, person)))
    assert orjson.loads(whole.splitlines()[-1])["counts"]["message"] == _MESSAGES


@pytest.mark.django_db
def test_the_export_of_a_killed_process_is_over_only_when_its_lease_is(
    live_server_processes: StartServers, tmp_path: Path
) -> None:
    servers = live_server_processes(2)
    person = _who_wrote_much(servers, tmp_path)
    with _reading_export(servers, person):
        servers.kill(0)
    client = servers.client(1, person)
    assert client.get("/me/export").status_code == HTTPStatus.TOO_MANY_REQUESTS
    _manage(
        servers,
        "shell",
        "--verbosity=0",
        "-c",
        "from messaging.models import ExportLease;"
        "from django.utils.timezone import now;"
        "assert ExportLease.objects.update(expires_at=now()) == 1",
    )
    assert _exported(client) is not None


def _until(found: Callable[[], Found | None]) -> Found:
    deadline = time.monotonic() + _TIMEOUT
    while not (result := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return result


def _asked(url: str, path: str, headers: bytes) -> socket.socket | None:
    """A connection on which something was asked, of which nothing is read for now."""
    address = urlsplit(url)
    try:
        made = socket.create_connection((address.hostname, address.port), _TIMEOUT)
    except ConnectionRefusedError:
        return None
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    made.sendall(
        b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n%b\r\n" % (path.encode(), headers)
    )
    return made


def _reading_export(servers: LiveServer, person: Person) -> socket.socket:
    token = b"Authorization: Bearer %b\r\n" % person.token.encode()
    reader = _asked(servers.urls[0], "/api/v1/me/export", token)
    assert reader is not None
    assert b"200 OK" in reader.recv(4096)
    return reader


def _exported(client: httpx.Client) -> bytes | None:
    answer = client.get("/me/export")
    return answer.content if answer.is_success else None


def _who_wrote_much(servers: LiveServer, folder: Path) -> Person:
    """Somebody of an import, for whom the service has a token."""
    lines = folder / "much.ndjson"
    with lines.open("wb") as file:
        for number in range(_MESSAGES):
            line = {
                "id": f"m{number}",
                "conversation": "much",
                "sender": "dora",
                "timestamp": "2026-01-02T03:04:05Z",
                "content": "x" * _LETTERS,
                "parent_message": None,
            }
            file.write(orjson.dumps(line) + b"\n")
    _manage(servers, "import_messages", str(lines))
    secret = _manage(servers, "create_service_token", "product").split()[-1]
    answer = servers.client().post(
        "/service/users/dora/tokens",
        json={},
        headers={"Authorization": f"Bearer {secret}"},
    )
    answer.raise_for_status()
    return Person("dora", answer.json()["token"])


def _manage(servers: LiveServer, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        env=servers.environment,
        cwd=settings.BASE_DIR,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
