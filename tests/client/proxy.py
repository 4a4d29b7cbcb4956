"""A proxy that drops, repeats, cuts and delays requests and answers."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Lock, Thread
from typing import Final

_CLIENT_TIME: Final = 60.0


class NetworkFault(Enum):
    NONE = auto()
    DROPPED_REQUEST = auto()
    """The connection breaks before the server hears of the request."""
    DROPPED_ANSWER = auto()
    """The server answers, and the connection breaks."""
    BROKEN_ANSWER = auto()
    """The connection breaks in the middle of the answer."""
    HELD_ANSWER = auto()
    """The answer does not come before the client gives up."""
    REPEATED_REQUEST = auto()
    """The server gets the request twice; the client, the second answer."""
    REPEATED_ANSWER = auto()
    """The client gets the answer twice."""
    BAD_GATEWAY = auto()
    """The proxy passes the request on, and then answers for itself."""
    BUSY = auto()
    """The proxy asks the client to come back in a second."""


# What happens to a request, by its number, counted from 0.
Plan = Callable[[int], NetworkFault]

_BAD_GATEWAY: Final = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n"
    b"Content-Length: 14\r\n\r\n<h1>Oops.</h1>"
)
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
)


@dataclass(slots=True)
class FaultyProxy:
    """Listens at `url`; `seen` has what became of each request, in order."""

    url: str
    seen: list[tuple[str, NetworkFault]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def fault(self, plan: Plan, line: str) -> NetworkFault:
        with self._lock:
            fault = plan(len(self.seen))
            self.seen.append((line, fault))
        return fault


@contextmanager
def faulty_proxy(upstream: str, plan: Plan) -> Iterator[FaultyProxy]:
    host, _, port = upstream.removeprefix("http://").partition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = FaultyProxy(f"http://127.0.0.1:{listener.getsockname()[1]}")
    threads: list[Thread] = []

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            thread = Thread(
                target=_serve, args=(client, (host, int(port)), proxy, plan)
            )
            threads.append(thread)
            thread.start()

    accepting = Thread(target=serve)
    accepting.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()


def _serve(
    client: socket.socket, upstream: tuple[str, int], proxy: FaultyProxy, plan: Plan
) -> None:
    client.settimeout(_CLIENT_TIME)
    with client, socket.create_connection(upstream) as server:
        requests, answers = _Messages(client), _Messages(server)
        try:
            while request := requests.read():
                line = request.split(b"\r\n", 1)[0].decode()
                if not _pass_on(
                    request, proxy.fault(plan, line), client, server, answers
                ):
                    return
        except OSError:
            # The client has gone.
            return


def _pass_on(
    request: bytes,
    fault: NetworkFault,
    client: socket.socket,
    server: socket.socket,
    answers: "_Messages",
) -> bool:
    """Whether the connection is still there afterwards."""
    match fault:
        case NetworkFault.DROPPED_REQUEST:
            return False
        case NetworkFault.BUSY:
            client.sendall(_BUSY)
            return True
        case NetworkFault.REPEATED_REQUEST:
            server.sendall(request)
            answers.read()
        case _:
            pass
    server.sendall(request)
    answer = answers.read()
    match fault:
        case NetworkFault.DROPPED_ANSWER:
            return False
        case NetworkFault.BROKEN_ANSWER:
            client.sendall(answer[: len(answer) // 2])
            return False
        case NetworkFault.HELD_ANSWER:
            client.recv(1)
            return False
        case NetworkFault.BAD_GATEWAY:
            client.sendall(_BAD_GATEWAY)
        case NetworkFault.REPEATED_ANSWER:
            client.sendall(answer * 2)
        case _:
            client.sendall(answer)
    return True


class _Messages:
    """The requests or answers on a connection, each with a Content-Length."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._ahead = b""

    def read(self) -> bytes:
        """The next one; nothing once the other side has gone."""
        while (end := self._ahead.find(b"\r\n\r\n")) < 0:
            if not self._receive():
                return b""
        head = self._taken(end + 4)
        return head + self._taken(_content_length(head))

    def _taken(self, length: int) -> bytes:
        while len(self._ahead) < length:
            if not self._receive():
                break
        taken, self._ahead = self._ahead[:length], self._ahead[length:]
        return taken

    def _receive(self) -> bool:
        piece = self._connection.recv(65536)
        self._ahead += piece
        return bool(piece)


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0
