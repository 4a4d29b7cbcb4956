"""Fan-out within a process: from the watcher thread to all open event streams."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Final, TypeVar

from django.db import Error, connection

from api.events.backlog import BacklogPage, read_backlog
from api.events.credentials import Credential
from api.events.frames import AddressedFrame
from api.events.streams import Stream
from api.events.watcher import Watcher
from messaging.ids import Position, UserId
from messaging.services.events import Log

T = TypeVar("T")

# Threads that read backlogs. There are few, so that many reconnecting clients do not
# occupy the database.
_READERS: Final = 2


class FanOut:
    """The open streams of one event loop; methods that the watcher calls are thread-safe."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers = ThreadPoolExecutor(_READERS, "parley-events")
        self._watcher = Watcher(self)
        self._lock = Lock()
        self._streams: dict[UserId, set[Stream]] = {}
        self._closed = False
        self._watcher.start()

    @contextmanager
    def subscribed(self, stream: Stream) -> Iterator[None]:
        with self._lock:
            self._streams.setdefault(stream.user, set()).add(stream)
        # A stream may open while the process shuts down.
        if self._closed:
            stream.end("shutdown")
        self._watcher.wake()
        try:
            yield
        finally:
            with self._lock:
                theirs = self._streams[stream.user]
                theirs.discard(stream)
                if not theirs:
                    del self._streams[stream.user]

    async def read_backlog(
        self, credential: Credential, log: Log, after: Position, limit: int
    ) -> BacklogPage | None:
        return await self.read(
            lambda: read_backlog(credential, log=log, after=after, limit=limit)
        )

    async def read(self, work: Callable[[], T]) -> T:
        """Run a query in a reader thread, which keeps its database connection."""
        return await self._loop.run_in_executor(self._readers, _run_query, work)

    def shut_down(self) -> None:
        """End all streams; their clients reconnect to another process."""
        self._closed = True
        for stream in self._all():
            stream.end("shutdown")

    async def close(self) -> None:
        self.shut_down()
        self._watcher.stop()
        await asyncio.to_thread(self._watcher.join)
        self._readers.shutdown(wait=False, cancel_futures=True)

    # These methods implement `Listeners`, for the watcher's thread.

    def users(self) -> frozenset[UserId]:
        with self._lock:
            return frozenset(self._streams)

    def credentials(self) -> frozenset[Credential]:
        return frozenset(stream.credential for stream in self._all())

    def send(self, outgoing: list[AddressedFrame]) -> None:
        if outgoing:
            self._run_in_loop(partial(self._send, outgoing))

    def reread_log(self) -> None:
        self._run_in_loop(self._reread_log)

    def sign_out(self, credentials: frozenset[Credential]) -> None:
        if credentials:
            self._run_in_loop(partial(self._sign_out, credentials))

    def _run_in_loop(self, action: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    def _send(self, outgoing: list[AddressedFrame]) -> None:
        for each in outgoing:
            for user in each.recipients & self._streams.keys():
                for stream in self._streams[user]:
                    stream.offer(each.frame)

    def _reread_log(self) -> None:
        for stream in self._all():
            stream.fall_behind()

    def _sign_out(self, credentials: frozenset[Credential]) -> None:
        for stream in self._all():
            if stream.credential in credentials:
                stream.end("signed-out")

    def _all(self) -> list[Stream]:
        with self._lock:
            return [stream for theirs in self._streams.values() for stream in theirs]


def _run_query(work: Callable[[], T]) -> T:
    try:
        return work()
    except Error:
        # The connection may be broken: close it, and the next query opens another one.
        connection.close()
        raise
