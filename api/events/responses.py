"""Answers that wait for events.

Under an asynchronous server they are sent by `live()`. A worker that knows
requests only iterates them like any other, and is not held up: it sends what there
is, and the client comes back for more.
"""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass

import orjson
from django.http import StreamingHttpResponse
from typing_extensions import override

from api.events import frames
from api.events.catching_up import catch_up
from api.events.frames import RECONNECT, RETRY, Frame
from api.events.hub import Hub
from api.events.seats import Seat
from api.events.streams import Credential, Stream
from api.schemas.events import EVENT_STREAM
from messaging.ids import Position
from messaging.services.events import Log
from messaging.services.presence import present_contacts


@dataclass(frozen=True, slots=True)
class Start:
    """Who listens, and from where on: None if what came since is not kept."""

    credential: Credential
    seat: Seat
    log: Log
    position: Position | None

    @property
    def reached(self) -> Position:
        return self.log.clock if self.position is None else self.position


class LiveResponse(StreamingHttpResponse):
    """An answer that goes on, and holds a seat while it does."""

    def __init__(self, start: Start, content_type: str) -> None:
        super().__init__(self._at_once(), content_type=content_type)
        self["Cache-Control"] = "no-store"
        self["X-Accel-Buffering"] = "no"
        self.start = start
        self._handed_over = False

    @abstractmethod
    def live(self, hub: Hub) -> AsyncGenerator[bytes, None]: ...

    @abstractmethod
    def _at_once(self) -> Iterator[bytes]: ...

    def hand_over(self) -> None:
        """The request is over; whoever sends the rest releases the seat."""
        self._handed_over = True
        self.close()

    @override
    def close(self) -> None:
        super().close()
        if not self._handed_over:
            self.start.seat.release()


class EventStreamResponse(LiveResponse):
    def __init__(self, start: Start, *, resumed: bool) -> None:
        super().__init__(start, EVENT_STREAM)
        self._resumed = resumed

    @override
    async def live(self, hub: Hub) -> AsyncGenerator[bytes, None]:
        stream = Stream(self.start.credential, reached=self.start.reached)
        with hub.subscribed(stream):
            yield self._opening()
            there = await hub.read(lambda: present_contacts(user=stream.user))
            shown = stream.untold(frames.presence(user, online=True) for user in there)
            if shown:
                yield b"".join(frame.sent for frame in shown)
            async for chunk in stream.chunks(hub.catch_up):
                yield chunk

    @override
    def _at_once(self) -> Iterator[bytes]:
        yield self._opening()
        reached, complete = self.start.reached, False
        while not complete:
            caught = catch_up(self.start.credential.user, after=reached)
            reached, complete = caught.reached, caught.complete
            yield b"".join(frame.sent for frame in caught.frames)
        yield RECONNECT.sent

    def _opening(self) -> bytes:
        if self.start.position is None:
            return RETRY + frames.reset(self.start.log).sent
        return RETRY if self._resumed else RETRY + frames.ready(self.start.log).sent


class PollResponse(LiveResponse):
    def __init__(self, start: Start, *, limit: int, seconds: float) -> None:
        super().__init__(start, "application/json; charset=utf-8")
        self._limit = limit
        self._seconds = seconds

    @override
    async def live(self, hub: Hub) -> AsyncGenerator[bytes, None]:
        stream = Stream(self.start.credential, reached=self.start.reached)
        with hub.subscribed(stream):
            found = self._known() or await stream.page(
                hub.catch_up, limit=self._limit, seconds=self._seconds
            )
        yield self._page(found, stream.reached)

    @override
    def _at_once(self) -> Iterator[bytes]:
        found, reached = self._known(), self.start.reached
        if not found:
            user = self.start.credential.user
            caught = catch_up(user, after=reached, limit=self._limit)
            found, reached = caught.frames, caught.reached
        yield self._page(found, reached)

    def _known(self) -> list[Frame]:
        return [] if self.start.position is not None else [frames.reset(self.start.log)]

    def _page(self, found: list[Frame], reached: Position) -> bytes:
        items = b",".join(frame.json for frame in found)
        cursor = orjson.dumps(self.start.log.cursor(reached))
        return b'{"items":[%b],"next_cursor":%b}' % (items, cursor)
