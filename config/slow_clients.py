"""Closes connections whose clients do not read their responses, or send no request.

granian has no time limit for sending: a client that reads nothing, or a byte now and
then, would hold a connection and its answer forever. So a thread looks at each
connection of the process several times in `PARLEY_SEND_SECONDS`. It resets a connection
if, in that time, the client has not acknowledged the bytes that were waiting, and has
acknowledged fewer bytes than `PARLEY_SEND_RATE` allows. granian then drops the answer,
and a stream ends.

If a connection is closed before its client has read everything, the kernel keeps the
bytes, and the process has no file of that connection any more. So the kernel itself is
told to discard them after twice `PARLEY_SEND_SECONDS`: listening sockets pass
`TCP_USER_TIMEOUT` on to their connections. It is twice as long because the thread's
reset is better: it tells the client, too.

Only Linux tells how much a client has acknowledged; elsewhere nothing is closed.
"""

import fcntl
import logging
import os
import socket
import stat
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from typing_extensions import override

logger = logging.getLogger(__name__)

_OPEN_FILES: Final = "/proc/self/fd"
# `struct tcp_info` in linux/tcp.h: `tcpi_bytes_acked` (one too many, for the SYN) and
# `tcpi_bytes_received`.
_COUNTED: Final = struct.Struct("120xQQ")
# The length of the shortest request. granian waits for that many bytes without a time
# limit.
_LEAST_SAID: Final = len(b"GET / HTTP/1.0\r\n\r\n")
_COUNT: Final = struct.Struct("i")
_LOOKS: Final = 6
# `struct linger`: on, for 0 seconds; closing then resets the connection.
_AT_ONCE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """The progress of a connection whose client has to send a request, or to read an answer.

    `taken` counts the bytes that the client has sent or acknowledged. It has done its
    part when `taken` reaches `until`.
    """

    since: float
    taken: int
    until: int
    # Whether the client has sent a request, and now has to read.
    heard: bool


class SlowClientWatch(threading.Thread):
    """Looks at this process's connections `_LOOKS` times in `PARLEY_SEND_SECONDS`."""

    def __init__(self) -> None:
        super().__init__(name="parley-connections", daemon=True)
        self._seconds = float(settings.PARLEY_SEND_SECONDS)
        self._rate: int = settings.PARLEY_SEND_RATE
        # By the inode of the socket: the progress of each connection.
        self._waiting: dict[int, _Waiting] = {}
        # Inodes of connections that have sent a request.
        self._heard: set[int] = set()
        self._stopping = threading.Event()
        # Ports that the server listens on; connections to the database have others.
        self.ports: set[int] = set()

    @override
    def start(self) -> None:
        if sys.platform == "linux":
            super().start()

    def stop(self) -> None:
        self._stopping.set()

    @override
    def run(self) -> None:
        while not self._stopping.wait(self._seconds / _LOOKS):
            try:
                self.look()
            except Exception:
                # The thread must survive: otherwise slow clients would never be closed.
                logger.exception("Connections cannot be looked at.")

    def look(self) -> None:
        found: dict[int, _Waiting] = {}
        heard: set[int] = set()
        for file, number in _open_sockets():
            # Most connections are idle: nothing waits to be sent.
            if number in self._heard and not _unsent(file):
                heard.add(number)
                continue
            # A duplicate, since the socket object closes its descriptor.
            with suppress(OSError), socket.socket(fileno=os.dup(file)) as own:
                if self._is_from_a_client(own) and (now := self._judged(own, number)):
                    found[number] = now
                    heard |= {number} if now.heard else set()
        self._waiting, self._heard = found, heard

    def _judged(self, connection: socket.socket, number: int) -> _Waiting | None:
        """The progress since the connection's client last advanced; None if it was reset."""
        now = _seen(connection)
        before = self._waiting.get(number, now)
        # The client has sent its request, or read everything: measure anew.
        if now.heard != before.heard or now.taken >= before.until:
            return now
        seconds = now.since - before.since
        if seconds < self._seconds:
            return before
        if now.taken - before.taken >= self._rate * seconds:
            return now
        _cut(connection)
        return None

    def _is_from_a_client(self, connection: socket.socket) -> bool:
        if connection.family not in {socket.AF_INET, socket.AF_INET6}:
            return False
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            # At each look: granian starts to listen only after this thread was started.
            _discard_after(2 * self._seconds, connection)
            return False
        port: int = connection.getsockname()[1]
        return port in self.ports


def _open_sockets() -> Iterator[tuple[int, int]]:
    """The file descriptors of the process's sockets, each with its inode."""
    for name in os.listdir(_OPEN_FILES):  # noqa: PTH208  # thousands of them
        with suppress(OSError):
            status = os.fstat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                yield int(name), status.st_ino


def _unsent(file: int) -> int:
    """The number of bytes that the other side has not acknowledged; 0 for other sockets."""
    try:
        (number,) = _COUNT.unpack(fcntl.ioctl(file, termios.TIOCOUTQ, bytes(4)))
    except OSError:
        return 0
    return int(number)


def _seen(connection: socket.socket) -> _Waiting:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _COUNTED.size)
    taken, said = _COUNTED.unpack(info)
    now = time.monotonic()
    if said < _LEAST_SAID:
        return _Waiting(now, said, _LEAST_SAID, heard=False)
    until = taken + _unsent(connection.fileno())
    return _Waiting(now, taken, until, heard=True)


def _discard_after(seconds: float, listening: socket.socket) -> None:
    """Let the kernel end connections whose client acknowledges nothing for so many seconds."""
    listening.setsockopt(
        socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000)
    )


def _cut(connection: socket.socket) -> None:
    """Reset the connection, and discard what waits to be sent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    connection.shutdown(socket.SHUT_RDWR)
    logger.info("A client said nothing, or took too little: its connection was cut.")
