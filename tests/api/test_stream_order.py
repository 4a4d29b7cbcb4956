"""A stream reads its backlog, sends frames and falls behind: each event once, in order."""

import asyncio
import random

import pytest

from api.events.backlog import BacklogPage
from api.events.credentials import Credential
from api.events.frames import Frame
from api.events.streams import Stream
from messaging.ids import Position, UserId
from messaging.services.events import Log

EVENTS = 2000
ANN = UserId(1)
LOG = Log(Position(0), Position(0), epoch=1)


def frame(number: int, *, weight: int) -> Frame:
    text = f"{number},".encode()
    return Frame(Position(number), text, text.ljust(weight))


class GrowingLog:
    """A log that grows, is read late, and announces in batches, at random."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.frames: list[Frame] = []

    async def pause(self) -> None:
        for _ in range(self.draw.randint(0, 3)):
            await asyncio.sleep(0)

    async def read(
        self, credential: Credential, log: Log, after: Position, limit: int
    ) -> BacklogPage:
        assert credential.user == ANN
        await self.pause()
        later = [each for each in self.frames if (each.position or 0) > after]
        clock = Position(len(self.frames))
        await self.pause()
        complete = len(later) < limit
        page = later[:limit]
        reached = clock if complete else page[-1].position or after
        return BacklogPage(page, log, reached, complete)

    async def grow(self, stream: Stream) -> None:
        """Send a batch that was written before, perhaps much later."""
        unseen: list[Frame] = []
        weight = self.draw.choice([1, 2000])
        for number in range(1, EVENTS + 1):
            self.frames.append(frame(number, weight=weight))
            unseen.append(self.frames[-1])
            if self.draw.random() < 0.3:
                await self.pause()
                for each in unseen:
                    stream.offer(each)
                unseen = []
            if self.draw.random() < 0.001:
                stream.fall_behind()
        for each in unseen:
            stream.offer(each)


@pytest.mark.parametrize("seed", range(30))
def test_a_stream_sends_each_event_once_and_in_order(seed: int) -> None:
    async def received() -> list[int]:
        log = GrowingLog(random.Random(seed))
        credential = Credential(ANN, None, None, "")
        stream = Stream(credential, log=LOG, reached=Position(0))
        growing = asyncio.create_task(log.grow(stream))
        found: list[int] = []
        async for chunk in stream.chunks(log.read):
            found += [int(each) for each in chunk.replace(b" ", b"").split(b",")[:-1]]
            # Often long enough for more to happen than is kept.
            for _ in range(log.draw.choice([0, 3, 600])):
                await asyncio.sleep(0)
            if len(found) >= EVENTS:
                stream.end("signed-out")
        await growing
        return found

    assert asyncio.run(asyncio.wait_for(received(), 60)) == list(range(1, EVENTS + 1))


@pytest.mark.parametrize("seed", range(10))
def test_a_poll_returns_each_event_once_and_in_order(seed: int) -> None:
    async def received() -> list[int]:
        log = GrowingLog(random.Random(seed))
        credential = Credential(ANN, None, None, "")
        stream = Stream(credential, log=LOG, reached=Position(0))
        growing = asyncio.create_task(log.grow(stream))
        found: list[int] = []
        while len(found) < EVENTS:
            page = await stream.page(log.read, limit=7, seconds=60)
            assert 1 <= len(page) <= 7
            found += [each.position or 0 for each in page]
            # Each poll is a stream of its own.
            stream.fall_behind()
        await growing
        return found

    assert asyncio.run(asyncio.wait_for(received(), 60)) == list(range(1, EVENTS + 1))


def test_a_stream_that_is_not_read_keeps_no_more_than_fits() -> None:
    async def kept() -> tuple[bool, int]:
        stream = Stream(Credential(ANN, None, None, ""), log=LOG, reached=Position(0))
        stream.behind = False
        for number in range(1, 10_000):
            stream.offer(frame(number, weight=1000))
        return stream.behind, len(stream._buffer)

    assert asyncio.run(kept()) == (True, 0)


def test_transient_events_survive_a_restart_of_the_stream() -> None:
    async def received() -> list[bytes]:
        stream = Stream(Credential(ANN, None, None, ""), log=LOG, reached=Position(0))
        for text in (b"typing,", b"typed,"):
            stream.offer(Frame(None, text, text))
            stream.fall_behind()
        logged = frame(1, weight=1)
        stream.offer(logged)

        async def read(
            credential: Credential, log: Log, after: Position, limit: int
        ) -> BacklogPage:
            return BacklogPage([logged], log, Position(1), complete=True)

        chunks = stream.chunks(read)
        return [await anext(chunks), await anext(chunks)]

    assert asyncio.run(received()) == [b"1,", b"typing,typed,"]


def test_a_stream_whose_credential_ended_sends_nothing_that_was_read() -> None:
    async def received() -> tuple[list[bytes], list[Frame]]:
        async def read(
            credential: Credential, log: Log, after: Position, limit: int
        ) -> BacklogPage | None:
            return None

        stream, poll = (
            Stream(Credential(ANN, None, None, ""), log=LOG, reached=Position(0))
            for _ in range(2)
        )
        return (
            [chunk async for chunk in stream.chunks(read)],
            await poll.page(read, limit=7, seconds=60),
        )

    assert asyncio.run(asyncio.wait_for(received(), 60)) == ([], [])
