"""A large account is deleted while others read and write."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from itertools import count
from pathlib import Path

import httpx
import orjson
import pytest

from tests.live.concurrent_calls import manage
from tests.live_server import PASSWORD, LiveServer, Person

MESSAGES = 20_000


@pytest.fixture
def zed(servers: LiveServer, tmp_path: Path) -> Person:
    """Someone who wrote every message of a group but the last, which Bea wrote."""
    path = tmp_path / "zed.jsonl"
    with path.open("wb") as file:
        for number in range(MESSAGES + 1):
            line = {
                "id": f"zed/{number}",
                "conversation": "zed",
                "sender": "zed" if number < MESSAGES else "bea",
                "timestamp": "2026-01-01T10:00:00Z",
                "content": f"message {number}",
                "parent_message": None,
            }
            file.write(orjson.dumps(line) + b"\n")
    manage(servers, "import_messages", str(path), "--verbosity", "0")
    tokens: dict[str, str] = {}
    for name in ("zed", "bea"):
        manage(servers, "set_password", name, "--password-stdin", answer=PASSWORD)
        signed_in = servers.client().post(
            "/auth/tokens", json={"username": name, "password": PASSWORD}
        )
        tokens[name] = signed_in.raise_for_status().json()["token"]
    return Person("zed", tokens["zed"])


def _meanwhile(
    servers: LiveServer, ann: Person, path: str, *, done: Callable[[], bool]
) -> tuple[list[httpx.Response], list[httpx.Response]]:
    reader, writer = servers.client(1, ann), servers.client(2, ann)
    reads: list[httpx.Response] = []
    writes: list[httpx.Response] = []
    for number in count():
        reads.append(reader.get("/conversations"))
        writes.append(writer.post(path, json={"content": f"written {number}"}))
        if done():
            break
    return reads, writes


@pytest.mark.django_db
def test_others_read_and_write_while_a_large_account_is_deleted(
    servers: LiveServer, zed: Person
) -> None:
    ann, bob = servers.register("ann"), servers.register("bob")
    opening = servers.client(1, ann).post(
        "/messages", json={"receiver": bob.username, "content": "opening"}
    )
    path = f"/conversations/{opening.json()['conversation_id']}/messages"
    with ThreadPoolExecutor(1) as threads:
        deletion = threads.submit(
            servers.client(0, zed).request, "DELETE", "/me", json={"password": PASSWORD}
        )
        reads, writes = _meanwhile(servers, ann, path, done=deletion.done)
    assert deletion.result().status_code == HTTPStatus.OK
    assert deletion.result().json()["group_messages"] == MESSAGES
    assert {answer.status_code for answer in reads} == {HTTPStatus.OK}
    written = [answer for answer in writes if answer.status_code == HTTPStatus.CREATED]
    refused = {answer.status_code for answer in writes} - {HTTPStatus.CREATED}
    assert refused <= {HTTPStatus.SERVICE_UNAVAILABLE}
    # None lost, and none refused but written all the same.
    newest = servers.client(2, bob).get(path, params={"limit": 1}).json()["items"][0]
    assert newest["sequence"] == len(written) + 1
    assert newest["content"] == written[-1].json()["content"]
