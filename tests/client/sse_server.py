"""A server of event streams with scripted answers, over real connections."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

_CLIENT_TIME: Final = 60.0


@dataclass(frozen=True, slots=True)
class ScriptedConnection:
    """What one connection is answered with, in these pieces, before it is closed."""

    pieces: Sequence[bytes]
    status: str = "200 OK"
    kind: str = "text/event-stream"
    # Only the client ends it.
    held: bool = False


@dataclass(slots=True)
class EventServer:
    url: str
    # The `Last-Event-ID` of each connection, or None.
    asked_after: list[str | None] = field(default_factory=list)


@contextmanager
def event_server(*script: ScriptedConnection) -> Iterator[EventServer]:
    """Answers each connection with the next one; afterwards nobody is there any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_CLIENT_TIME)
        server = EventServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread = Thread(target=_serve, args=(listener, server, script))
        thread.start()
        try:
            yield server
        finally:
            thread.join()


def _serve(
    listener: socket.socket, server: EventServer, script: Sequence[ScriptedConnection]
) -> None:
    for answer in script:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(_CLIENT_TIME)
            server.asked_after.append(_last_event_id(connection))
            head = f"HTTP/1.1 {answer.status}\r\nContent-Type: {answer.kind}\r\n"
            connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
            for piece in answer.pieces:
                connection.sendall(piece)
            if answer.held:
                connection.recv(1)


def _last_event_id(connection: socket.socket) -> str | None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(65536)
    for line in head.decode().split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "last-event-id":
            return value
    return None
