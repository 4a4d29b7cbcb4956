"""What one connection has still to be told.

A stream that is `behind` reads the log from where it got to, while what happens
meanwhile is kept for it; then it lives on what it is handed. One that reads slower
than things happen is handed no more than fits, and falls behind again: it costs
no memory and holds up nobody.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import Counter

from api.events.catching_up import PAGE, Caught
from api.events.frames import HEARTBEAT, RECONNECT, Frame
from messaging.ids import Position, TokenId, UserId

_HEARTBEAT_SECONDS: Final = 15.0
_MAX_FRAMES: Final = 256
_MAX_BYTES: Final = 256 * 1024

_DELIVERED: Final = Counter(
    "parley_events_delivered", "Events handed to streams and polls."
)

Ended = Literal["shutdown", "signed-out"]


@dataclass(frozen=True, slots=True)
class Credential:
    """What a person opened a stream with, and their password's hash at that time."""

    user: UserId
    token: TokenId | None
    session: str | None
    password: str


Read = Callable[[UserId, Position, int], Awaitable[Caught]]


class Stream:
    """Of the event loop's thread alone."""

    def __init__(self, credential: Credential, *, reached: Position) -> None:
        self.credential = credential
        self.reached = reached
        self.behind = True
        self.ended: Ended | None = None
        self._kept: deque[Frame] = deque()
        self._bytes = 0
        self._online: set[UserId] = set()
        self._news = asyncio.Event()

    @property
    def user(self) -> UserId:
        return self.credential.user

    def offer(self, frame: Frame) -> None:
        """Keep a frame until the connection takes it, if there is room.

        One that is logged is read again by a stream that is behind; what is told only
        once is kept for it.
        """
        if self.behind and frame.position is not None:
            return
        if len(self._kept) < _MAX_FRAMES and self._bytes < _MAX_BYTES:
            self._kept.append(frame)
            self._bytes += len(frame.sent)
        elif frame.position is not None:
            self.fall_behind()
        self._news.set()

    def untold(self, frames: Iterable[Frame]) -> list[Frame]:
        """Without those of people who are told of already: taken as told.

        Who is there is read when a stream opens, and handed to it when it changes;
        what comes about in between may be both.
        """
        return [frame for frame in frames if self._is_news(frame)]

    def fall_behind(self) -> None:
        """Forget what is kept of the log: it has it all."""
        self.behind = True
        told_once = [frame for frame in self._kept if frame.position is None]
        self._empty()
        for frame in told_once:
            self.offer(frame)
        self._news.set()

    def end(self, how: Ended) -> None:
        self.ended = self.ended or how
        self._news.set()

    async def chunks(self, read: Read) -> AsyncGenerator[bytes, None]:
        """Everything from where it got to, until it is ended."""
        while not self.ended:
            if self.behind:
                async for caught in self._catch_up(read):
                    yield caught
            elif frames := self._take():
                yield b"".join(frame.sent for frame in frames)
            elif not await self._hear(_HEARTBEAT_SECONDS):
                yield HEARTBEAT
        if self.ended == "shutdown":
            yield RECONNECT.sent

    async def page(self, read: Read, *, limit: int, seconds: float) -> list[Frame]:
        """The next events, as soon as there are any; none when the time is over."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + seconds
        while not self.ended:
            if self.behind:
                frames = await self._catch_page(read, limit)
            else:
                frames = self._take_logged(limit)
            if frames:
                return frames
            left = deadline - clock()
            if not self.behind and (left <= 0 or not await self._hear(left)):
                break
        return []

    async def _catch_up(self, read: Read) -> AsyncGenerator[bytes, None]:
        complete = False
        self.behind = False
        while not (complete or self.ended):
            caught = await read(self.user, self.reached, PAGE)
            self.reached, complete = caught.reached, caught.complete
            if caught.frames:
                _DELIVERED.inc(len(caught.frames))
                yield b"".join(frame.sent for frame in caught.frames)

    async def _catch_page(self, read: Read, limit: int) -> list[Frame]:
        self.behind = False
        caught = await read(self.user, self.reached, limit)
        self.reached = caught.reached
        if not caught.complete:
            self.fall_behind()
        _DELIVERED.inc(len(caught.frames))
        return caught.frames

    def _take(self) -> list[Frame]:
        """What is kept, but for what was caught up with meanwhile."""
        frames = self.untold(
            frame
            for frame in self._kept
            if frame.position is None or frame.position > self.reached
        )
        self._empty()
        for frame in frames:
            self.reached = frame.position or self.reached
        _DELIVERED.inc(len(frames))
        return frames

    def _take_logged(self, limit: int) -> list[Frame]:
        frames = [
            frame
            for frame in self._kept
            if frame.position is not None and frame.position > self.reached
        ][:limit]
        self._empty()
        if frames:
            self.reached = frames[-1].position or self.reached
        _DELIVERED.inc(len(frames))
        return frames

    def _is_news(self, frame: Frame) -> bool:
        if frame.presence is None:
            return True
        user, online = frame.presence
        if online == (user in self._online):
            return False
        self._online ^= {user}
        return True

    async def _hear(self, seconds: float) -> bool:
        """Wait for news; False when there was none for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def _empty(self) -> None:
        self._kept.clear()
        self._bytes = 0
