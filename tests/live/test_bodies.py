"""Bodies as servers get them: in chunks, too large, on connections that are kept."""

import socket

import httpx
import pytest

from tests.live.at_once import People
from tests.live_server import LiveServer

MEGABYTE = 1024 * 1024
PATIENCE = 60


@pytest.mark.django_db
def test_a_body_in_chunks_is_read(servers: LiveServer, people: People) -> None:
    client = servers.client(0, people[0])
    answer = client.patch(
        "/me",
        content=iter([b'{"display_', b'name": "In chunks"}']),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200
    assert client.get("/me").json()["display_name"] == "In chunks"


@pytest.mark.django_db
@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large_is_refused_and_the_connection_kept(
    chunked: bool, servers: LiveServer, people: People
) -> None:
    client = servers.client(0, people[0])
    body = [b'"', b"x" * 3 * MEGABYTE, b'"']
    answer = client.patch(
        "/me",
        content=iter(body) if chunked else b"".join(body),
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert client.get("/me").status_code == 200


@pytest.mark.django_db
def test_chunks_that_are_none_are_the_senders_fault(servers: LiveServer) -> None:
    url = httpx.URL(servers.urls[0])
    with socket.create_connection((url.host, url.port), PATIENCE) as connection:
        connection.sendall(
            b"PATCH /api/v1/me HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nno size\r\n"
        )
        with connection.makefile("rb") as answer:
            assert answer.readline() == b"HTTP/1.1 400 Bad Request\r\n"
