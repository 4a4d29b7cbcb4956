"""All streams of a process, and the way to them from the one thread that watches."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Final, TypeVar

from django.db import Error, connection

from api.events.catching_up import Caught, catch_up
from api.events.frames import Addressed
from api.events.streams import Credential, Stream
from api.events.watcher import Watcher
from messaging.ids import Position, UserId

T = TypeVar("T")

# For catching up: few, so that requests keep their share of the database.
_READERS: Final = 2


class Hub:
    """Belongs to an event loop; what the watcher calls may be called by any thread."""

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

    async def catch_up(self, user: UserId, after: Position, limit: int) -> Caught:
        return await self.read(lambda: catch_up(user, after=after, limit=limit))

    async def read(self, work: Callable[[], T]) -> T:
        """Ask the database, in a thread that keeps its connection."""
        return await self._loop.run_in_executor(self._readers, _kept_whole, work)

    def shut_down(self) -> None:
        """Send everybody elsewhere."""
        self._closed = True
        for stream in self._all():
            stream.end("shutdown")

    async def close(self) -> None:
        self.shut_down()
        self._watcher.stop()
        await asyncio.to_thread(self._watcher.join)
        self._readers.shutdown(wait=False, cancel_futures=True)

    # What the watcher asks and tells.

    def users(self) -> frozenset[UserId]:
        with self._lock:
            return frozenset(self._streams)

    def credentials(self) -> frozenset[Credential]:
        return frozenset(stream.credential for stream in self._all())

    def tell(self, told: list[Addressed]) -> None:
        if told:
            self._soon(partial(self._tell, told))

    def start_over(self) -> None:
        self._soon(self._start_over)

    def sign_out(self, credentials: frozenset[Credential]) -> None:
        if credentials:
            self._soon(partial(self._sign_out, credentials))

    def _soon(self, deed: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(deed)

    def _tell(self, told: list[Addressed]) -> None:
        for each in told:
            for user in each.recipients & self._streams.keys():
                for stream in self._streams[user]:
                    stream.offer(each.frame)

    def _start_over(self) -> None:
        for stream in self._all():
            stream.fall_behind()

    def _sign_out(self, credentials: frozenset[Credential]) -> None:
        for stream in self._all():
            if stream.credential in credentials:
                stream.end("signed-out")

    def _all(self) -> list[Stream]:
        with self._lock:
            return [stream for theirs in self._streams.values() for stream in theirs]


def _kept_whole(work: Callable[[], T]) -> T:
    try:
        return work()
    except Error:
        # Whatever is wrong with it, the next one gets another.
        connection.close()
        raise
