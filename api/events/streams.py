"""One event stream: its buffer of frames, and its position in the log.

A stream that is `behind` reads its backlog from the log, and meanwhile buffers new
frames. A stream whose buffer is full drops it and is behind again. So a slow client
takes bounded memory and delays no other client (backpressure).
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Final, Literal

from prometheus_client import Counter

from api.events.backlog import PAGE_SIZE, BacklogPage
from api.events.credentials import Credential
from api.events.frames import HEARTBEAT, RECONNECT, Frame
from messaging.ids import Position, UserId
from messaging.services.events import Log

# Well below the idle timeout of common proxies (60 seconds).
_HEARTBEAT_SECONDS: Final = 15.0
# Bounds of a stream's buffer. A client that is slower than that is sent the events from
# the log instead.
_MAX_FRAMES: Final = 256
_MAX_BYTES: Final = 256 * 1024

_DELIVERED: Final = Counter(
    "parley_events_delivered", "Events handed to streams and polls."
)

Ended = Literal["shutdown", "signed-out"]


# None if the credential has ended.
Read = Callable[[Credential, Log, Position, int], Awaitable[BacklogPage | None]]


class Stream:
    """One open stream. Only the event loop's thread uses it, so it needs no lock.

    `reached` is a position of `log`: in one that replaced it, it means nothing.
    """

    def __init__(self, credential: Credential, *, log: Log, reached: Position) -> None:
        self.credential = credential
        self.log = log
        self.reached = reached
        self.behind = True
        self.ended: Ended | None = None
        self._buffer: deque[Frame] = deque()
        self._bytes = 0
        self._online: set[UserId] = set()
        self._arrived = asyncio.Event()

    @property
    def user(self) -> UserId:
        return self.credential.user

    def offer(self, frame: Frame) -> None:
        """Buffer a frame until the connection takes it; if the buffer is full, fall behind.

        A stream that is behind buffers transient frames only: it reads the others from
        the log.
        """
        if self.behind and frame.position is not None:
            return
        if len(self._buffer) < _MAX_FRAMES and self._bytes < _MAX_BYTES:
            self._buffer.append(frame)
            self._bytes += len(frame.sse)
        elif frame.position is not None:
            self.fall_behind()
        self._arrived.set()

    def unseen(self, frames: Iterable[Frame]) -> list[Frame]:
        """Remove presence frames that tell the client nothing new, and remember the others
        as sent.

        Presence is read when a stream opens, and sent when it changes. A change between
        the two would be sent twice.
        """
        return [frame for frame in frames if self._is_unseen(frame)]

    def fall_behind(self) -> None:
        """Drop the logged frames from the buffer: the stream reads them from the log."""
        self.behind = True
        unlogged = [frame for frame in self._buffer if frame.position is None]
        self._clear_buffer()
        for frame in unlogged:
            self.offer(frame)
        self._arrived.set()

    def end(self, how: Ended) -> None:
        # The first reason counts.
        self.ended = self.ended or how
        self._arrived.set()

    async def chunks(self, read: Read) -> AsyncGenerator[bytes, None]:
        """Yield frames as bytes, from the stream's position on, until the stream is ended."""
        while not self.ended:
            if self.behind:
                async for chunk in self._send_backlog(read):
                    yield chunk
            elif frames := self._take_buffered():
                yield b"".join(frame.sse for frame in frames)
            elif not await self._wait(_HEARTBEAT_SECONDS):
                yield HEARTBEAT
        if self.ended == "shutdown":
            yield RECONNECT.sse

    async def page(self, read: Read, *, limit: int, seconds: float) -> list[Frame]:
        """Wait for the next events, `limit` at most; an empty list after `seconds`."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while not self.ended:
            if self.behind:
                frames = await self._backlog_page(read, limit)
            else:
                frames = self._take_logged(limit)
            if frames:
                return frames
            left = deadline - clock()
            if not self.behind and (left <= 0 or not await self._wait(left)):
                break
        return []

    async def _send_backlog(self, read: Read) -> AsyncGenerator[bytes, None]:
        complete = False
        self.behind = False
        while not (complete or self.ended):
            backlog = await read(self.credential, self.log, self.reached, PAGE_SIZE)
            if backlog is None:
                self.end("signed-out")
                return
            self.log, self.reached = backlog.log, backlog.reached
            complete = backlog.complete
            if backlog.frames:
                _DELIVERED.inc(len(backlog.frames))
                yield b"".join(frame.sse for frame in backlog.frames)

    async def _backlog_page(self, read: Read, limit: int) -> list[Frame]:
        self.behind = False
        # `behind` is cleared before the read: frames that arrive meanwhile have to be
        # buffered.
        backlog = await read(self.credential, self.log, self.reached, limit)
        if backlog is None:
            self.end("signed-out")
            return []
        self.log, self.reached = backlog.log, backlog.reached
        if not backlog.complete:
            self.fall_behind()
        _DELIVERED.inc(len(backlog.frames))
        return backlog.frames

    def _take_buffered(self) -> list[Frame]:
        """Empty the buffer; return its frames without those that the backlog contained."""
        frames = self.unseen(
            frame
            for frame in self._buffer
            if frame.position is None or frame.position > self.reached
        )
        self._clear_buffer()
        for frame in frames:
            self.reached = frame.position or self.reached
        _DELIVERED.inc(len(frames))
        return frames

    def _take_logged(self, limit: int) -> list[Frame]:
        frames = [
            frame
            for frame in self._buffer
            if frame.position is not None and frame.position > self.reached
        ][:limit]
        self._clear_buffer()
        if frames:
            self.reached = frames[-1].position or self.reached
        _DELIVERED.inc(len(frames))
        return frames

    def _is_unseen(self, frame: Frame) -> bool:
        if frame.presence is None:
            return True
        user, online = frame.presence
        if online == (user in self._online):
            return False
        self._online ^= {user}
        return True

    async def _wait(self, seconds: float) -> bool:
        """Wait for a frame or the end of the stream; False after `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        self._arrived.clear()
        return True

    def _clear_buffer(self) -> None:
        self._buffer.clear()
        self._bytes = 0
