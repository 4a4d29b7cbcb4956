"""Clients that take what they asked for slowly or never, or never say it all."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest

from tests.live.concurrent_calls import start_group
from tests.live_server import LiveServer, Person, served_database

SECONDS = 1
# Long enough for a busy machine; a test never waits for it to pass.
_TIMEOUT = 20
# More than kernels hold for two sockets that nobody reads from.
_MESSAGES = 200
_CONTENT = "x" * 5000
_PAGE = _MESSAGES * len(_CONTENT)
# As /proc/net/tcp has it: closed, with something still to be sent.
_FIN_WAIT_1 = "04"
_LISTEN = "0A"
# So that little is on its way.
_SMALL = 4096


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with served_database(tmp_path_factory.mktemp("slow")) as environment:
        patience = {
            "PARLEY_SEND_SECONDS": str(SECONDS),
            "PARLEY_BODY_SECONDS": str(SECONDS),
        }
        server = LiveServer.start({**environment, **patience}, processes=1)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="module")
def reader(server: LiveServer) -> Person:
    return server.register("reader")


@pytest.fixture(scope="module")
def long_page(server: LiveServer, reader: Person) -> str:
    client = server.client(0, reader)
    conversation = start_group(client, server.register("member"))
    path = f"/conversations/{conversation}/messages"
    for _ in range(_MESSAGES):
        client.post(path, json={"content": _CONTENT}).raise_for_status()
    return f"/api/v1{path}?limit={_MESSAGES}"


@contextmanager
def connected(server: LiveServer) -> Iterator[socket.socket]:
    place = urlsplit(server.urls[0])
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        client.settimeout(_TIMEOUT)
        client.connect((place.hostname, place.port))
        yield client


def asked(
    client: socket.socket,
    path: str,
    person: Person | None = None,
    *,
    last: bool = False,
) -> None:
    token = f"Authorization: Bearer {person.token}\r\n" if person else ""
    close = "Connection: close\r\n" if last else ""
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{token}{close}\r\n".encode("ascii")
    )


@dataclass(frozen=True, slots=True)
class _KernelSocket:
    """A line of /proc/net/tcp; ports are four hexadecimal digits."""

    local_port: str
    remote_port: str
    state: str
    # 0 when no process has it any more.
    inode: str


def kernel_sockets() -> Iterator[_KernelSocket]:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_, inode = line.split()[:10]
        yield _KernelSocket(local[-4:], remote[-4:], state, inode)


def state(server: LiveServer, client: socket.socket) -> str | None:
    """The server's side of a connection, as the kernel has it."""
    ends = (server_port(server), f"{client.getsockname()[1]:04X}")
    for found in kernel_sockets():
        if (found.local_port, found.remote_port) == ends:
            return found.state
    return None


def connections(server: LiveServer) -> int:
    """How many clients' connections the server has open; its own, to databases, no."""
    port = server_port(server)
    return sum(
        found.local_port == port and found.state != _LISTEN and found.inode != "0"
        for found in kernel_sockets()
    )


def server_port(server: LiveServer) -> str:
    return f"{urlsplit(server.urls[0]).port or 0:04X}"


def await_cut(client: socket.socket) -> None:
    """Until the other side has broken it, without reading a byte."""
    poll = select.poll()
    poll.register(client, 0)
    assert poll.poll(_TIMEOUT * 1000), "it is still open"


def eventually(holds: Callable[[], bool]) -> None:
    waiting = Event()
    for _ in range(_TIMEOUT * 20):
        if holds():
            return
        waiting.wait(0.05)
    raise AssertionError("it never was so")


@pytest.mark.django_db
@pytest.mark.parametrize("answer", ["page", "export", "file", "stream of pages"])
def test_a_client_that_reads_nothing_is_disconnected(
    server: LiveServer, reader: Person, long_page: str, answer: str
) -> None:
    paths = {
        "page": long_page,
        "export": "/api/v1/me/export",
        "file": "/static/ninja/swagger-ui-bundle.js",
    }
    before = connections(server)
    with ExitStack() as stack:
        # A person has one export at a time.
        number = 1 if answer == "export" else 5
        hoarders = [stack.enter_context(connected(server)) for _ in range(number)]
        for client in hoarders:
            if answer == "stream of pages":
                for _ in range(5):
                    asked(client, long_page, reader)
            else:
                asked(client, paths[answer], reader)
        for client in hoarders:
            await_cut(client)
        eventually(lambda: connections(server) <= before)


@pytest.mark.django_db
def test_a_client_that_reads_almost_nothing_is_disconnected(
    server: LiveServer, reader: Person, long_page: str
) -> None:
    waiting, taken = Event(), 0
    with connected(server) as client:
        asked(client, long_page, reader)
        with suppress(ConnectionError):
            while taken < _PAGE:
                taken += len(client.recv(64))
                waiting.wait(0.1)
    assert taken < _PAGE // 2


@pytest.mark.django_db
def test_a_slow_client_gets_the_whole_response(
    server: LiveServer, reader: Person, long_page: str
) -> None:
    waiting, taken = Event(), 0
    with connected(server) as client:
        asked(client, long_page, reader)
        # For some times as long as nothing may be taken.
        while taken < _PAGE:
            piece = client.recv(_PAGE // 16)
            assert piece
            taken += len(piece)
            waiting.wait(len(piece) / _PAGE * 4 * SECONDS)


@pytest.mark.django_db
def test_an_answer_that_its_closed_connection_left_behind_is_discarded(
    server: LiveServer, reader: Person, long_page: str
) -> None:
    """The kernel keeps it for a socket that no process has any more."""
    with connected(server) as client:
        # A tenth of it, which the kernel takes at once.
        asked(client, long_page.removesuffix("0"), reader, last=True)
        eventually(lambda: state(server, client) == _FIN_WAIT_1)
        eventually(lambda: state(server, client) is None)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/messages", "/sign-in"])
def test_a_body_that_does_not_end_is_refused_and_its_connection_closed(
    server: LiveServer, path: str
) -> None:
    with connected(server) as client:
        client.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{{".encode()
        )
        answer = b""
        while piece := client.recv(_SMALL):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert (b'"code":"slow_body"' in answer) == path.startswith("/api/")


@pytest.mark.django_db
@pytest.mark.parametrize("said", [b"", b"P", b"GET"])
def test_a_client_that_sends_nothing_is_disconnected(
    server: LiveServer, said: bytes
) -> None:
    # The port is known from a request.
    assert httpx.get(f"{server.urls[0]}/healthz").status_code == HTTPStatus.OK
    with connected(server) as client:
        client.sendall(said)
        await_cut(client)


@pytest.mark.django_db
def test_a_connection_stays_open_after_a_response(
    server: LiveServer, reader: Person
) -> None:
    waiting = Event()
    with connected(server) as client:
        for _ in range(3):
            asked(client, "/healthz")
            assert client.recv(_SMALL).startswith(b"HTTP/1.1 200 ")
            waiting.wait(SECONDS)


@pytest.mark.django_db
def test_others_are_served_beside_slow_clients(
    server: LiveServer, reader: Person, long_page: str
) -> None:
    with ExitStack() as stack:
        for _ in range(20):
            asked(stack.enter_context(connected(server)), long_page, reader)
        assert server.client(0, reader).get("/me").status_code == HTTPStatus.OK
        assert httpx.get(f"{server.urls[0]}/readyz").status_code == HTTPStatus.OK
