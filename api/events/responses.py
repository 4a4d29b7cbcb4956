"""Responses that wait for events.

The ASGI application iterates `live()`. Django's development server and test client
iterate the response itself, which ends after the backlog; clients then reconnect.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

import orjson
from django.http import StreamingHttpResponse
from typing_extensions import override

from api.events import frames
from api.events.backlog import read_backlog
from api.events.credentials import Credential
from api.events.fan_out import FanOut
from api.events.frames import RECONNECT, RETRY, Frame
from api.events.stream_slots import StreamSlot
from api.events.streams import Stream
from api.schemas.events import EVENT_STREAM
from messaging.ids import Position
from messaging.services.events import Log
from messaging.services.presence import present_contacts


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream starts; `position` is None if events after the client's cursor were
    cleared.
    """

    credential: Credential
    slot: StreamSlot
    log: Log
    position: Position | None

    @property
    def reached(self) -> Position:
        return self.log.clock if self.position is None else self.position

    def stream(self) -> Stream:
        return Stream(self.credential, log=self.log, reached=self.reached)


class LiveResponse(StreamingHttpResponse):
    """A response that stays open, and holds a stream slot until it is closed."""

    def __init__(self, start: Start, content_type: str) -> None:
        super().__init__(self._at_once(), content_type=content_type)
        self["Cache-Control"] = "no-store"
        # nginx would buffer the stream without this header.
        self["X-Accel-Buffering"] = "no"
        self.start = start
        self._handed_over = False

    @abstractmethod
    def live(self, fan_out: FanOut) -> AsyncGenerator[bytes, None]: ...

    @abstractmethod
    def _at_once(self) -> Iterator[bytes]: ...

    def hand_over(self) -> None:
        """Close the request, but keep the slot; the event loop sends the body, then
        releases it.
        """
        self._handed_over = True
        self.close()

    @override
    def close(self) -> None:
        super().close()
        if not self._handed_over:
            self.start.slot.release()


class EventStreamResponse(LiveResponse):
    def __init__(self, start: Start, *, resumed: bool) -> None:
        super().__init__(start, EVENT_STREAM)
        self._resumed = resumed

    @override
    async def live(self, fan_out: FanOut) -> AsyncGenerator[bytes, None]:
        stream = self.start.stream()
        with fan_out.subscribed(stream):
            yield self._opening()
            # Read after subscribing: changes of presence meanwhile are buffered.
            present = await fan_out.read(lambda: present_contacts(user=stream.user))
            unseen = stream.unseen(
                frames.presence(user, online=True) for user in present
            )
            if unseen:
                yield b"".join(frame.sse for frame in unseen)
            async for chunk in stream.chunks(fan_out.read_backlog):
                yield chunk

    @override
    def _at_once(self) -> Iterator[bytes]:
        yield self._opening()
        log, reached, complete = self.start.log, self.start.reached, False
        while not complete:
            backlog = read_backlog(self.start.credential, log=log, after=reached)
            if backlog is None:
                return
            log, reached = backlog.log, backlog.reached
            complete = backlog.complete
            yield b"".join(frame.sse for frame in backlog.frames)
        yield RECONNECT.sse

    def _opening(self) -> bytes:
        if self.start.position is None:
            return RETRY + frames.reset(self.start.log).sse
        return RETRY if self._resumed else RETRY + frames.ready(self.start.log).sse


class PollResponse(LiveResponse):
    def __init__(self, start: Start, *, limit: int, seconds: float) -> None:
        super().__init__(start, "application/json; charset=utf-8")
        self._limit = limit
        self._seconds = seconds

    @override
    async def live(self, fan_out: FanOut) -> AsyncGenerator[bytes, None]:
        stream = self.start.stream()
        with fan_out.subscribed(stream):
            found = self._reset_frames() or await stream.page(
                fan_out.read_backlog, limit=self._limit, seconds=self._seconds
            )
        yield self._page(found, stream.log, stream.reached)

    @override
    def _at_once(self) -> Iterator[bytes]:
        found, log, reached = self._reset_frames(), self.start.log, self.start.reached
        if not found:
            backlog = read_backlog(
                self.start.credential, log=log, after=reached, limit=self._limit
            )
            if backlog is not None:
                found, log, reached = backlog.frames, backlog.log, backlog.reached
        yield self._page(found, log, reached)

    def _reset_frames(self) -> list[Frame]:
        return [] if self.start.position is not None else [frames.reset(self.start.log)]

    def _page(self, found: list[Frame], log: Log, reached: Position) -> bytes:
        items = b",".join(frame.json for frame in found)
        cursor = orjson.dumps(log.cursor(reached))
        return b'{"items":[%b],"next_cursor":%b}' % (items, cursor)
