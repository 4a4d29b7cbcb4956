"""Worker pools: bounded, fair, and separate for reads and writes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from threading import Event, current_thread

import pytest
from pytest_django import Settings

from config.dispatch import Dispatcher
from config.sqlite.lock_waits import note_met_lock
from config.threads import RequestThreads
from config.worker_pools import Bounds, PoolFullError, Requester, WorkerPool
from tests.scopes import SCOPE

# Runs, and what lies ready for it.
AHEAD = 3
# Never passes, unless a test is about to fail.
TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    thread: str


def nobody() -> Requester:
    raise AssertionError("nobody has to wait")


def requester(account: str, address: str = "") -> Callable[[], Requester]:
    return lambda: Requester(account, address or f"of {account}")


class BusyPool:
    """A pool of one thread, which is busy until it is released."""

    def __init__(self, *, waiting: int, seconds: float = TIMEOUT) -> None:
        self._threads = RequestThreads(1)
        self.pool = WorkerPool(self._threads, 1, Bounds(waiting, seconds))
        self.go = Event()
        self.done: list[str] = []
        self.running: list[asyncio.Task[None]] = []

    async def occupy(self) -> None:
        self.running = [
            asyncio.create_task(self.pool.run(self._wait, nobody)) for _ in range(AHEAD)
        ]
        await asyncio.sleep(0)

    async def submit(
        self, name: str, by: Callable[[], Requester]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(self.pool.run(partial(self.done.append, name), by))
        await asyncio.sleep(0)
        return task

    async def release(self, *tasks: Awaitable[None]) -> None:
        self.go.set()
        await asyncio.gather(*self.running, *tasks)

    def _wait(self) -> None:
        assert self.go.wait(TIMEOUT)


@pytest.fixture
def busy_pool() -> Iterator[BusyPool]:
    busy_pool = BusyPool(waiting=6)
    yield busy_pool
    busy_pool.go.set()
    busy_pool.pool.close()


def test_accounts_are_served_round_robin(
    busy_pool: BusyPool,
) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        tasks = [
            await busy_pool.submit(name, requester(name[0]))
            for name in ("a1", "a2", "a3", "b1")
        ]
        await busy_pool.release(*tasks)

    asyncio.run(ask())
    assert busy_pool.done == ["a1", "b1", "a2", "a3"]


def test_invalid_credentials_give_an_address_no_extra_share(
    busy_pool: BusyPool,
) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        invented = [
            await busy_pool.submit("invented", requester(name, "there"))
            for name in "xyz"
        ]
        bob = await busy_pool.submit("bob", requester("bob"))
        await busy_pool.release(*invented, bob)

    asyncio.run(ask())
    assert busy_pool.done == ["invented", "bob", "invented", "invented"]


def test_accounts_of_an_address_are_served_round_robin(busy_pool: BusyPool) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        names = ("a1", "a2", "b1")
        tasks = [
            await busy_pool.submit(name, requester(name[0], "office")) for name in names
        ]
        tasks.append(await busy_pool.submit("c1", requester("c")))
        await busy_pool.release(*tasks)

    asyncio.run(ask())
    assert busy_pool.done == ["a1", "c1", "b1", "a2"]


def test_an_account_at_many_addresses_is_served_at_each(busy_pool: BusyPool) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        tasks = [
            await busy_pool.submit(f"a at {place}", requester("a", place))
            for place in "xy"
        ]
        await busy_pool.release(*tasks)

    asyncio.run(ask())
    assert busy_pool.done == ["a at x", "a at y"]


def test_nobody_is_more_than_half_of_those_who_wait(busy_pool: BusyPool) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        mine = [await busy_pool.submit("mine", requester("ann")) for _ in range(4)]
        others = [await busy_pool.submit("other", requester(name)) for name in "bcde"]
        with pytest.raises(PoolFullError):
            await mine.pop()
        with pytest.raises(PoolFullError):
            await others.pop()
        await busy_pool.release(*mine, *others)

    asyncio.run(ask())
    assert sorted(busy_pool.done) == ["mine"] * 3 + ["other"] * 3


def test_one_address_is_no_more_than_half_whatever_it_shows(
    busy_pool: BusyPool,
) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        there = [
            await busy_pool.submit("there", requester(name, "there")) for name in "abcd"
        ]
        elsewhere = await busy_pool.submit("elsewhere", requester("e"))
        with pytest.raises(PoolFullError):
            await there.pop()
        await busy_pool.release(*there, elsewhere)

    asyncio.run(ask())
    assert "elsewhere" in busy_pool.done


def test_a_request_that_waits_too_long_is_refused_and_not_run() -> None:
    busy_pool = BusyPool(waiting=6, seconds=0)

    async def ask() -> None:
        await busy_pool.occupy()
        with pytest.raises(PoolFullError):
            await (await busy_pool.submit("late", requester("ann")))
        await busy_pool.release()

    asyncio.run(ask())
    busy_pool.pool.close()
    assert busy_pool.done == []


def test_a_cancelled_request_frees_its_place_in_the_queue(busy_pool: BusyPool) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        gone = [await busy_pool.submit("gone", requester("ann")) for _ in range(3)]
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        there = [await busy_pool.submit("there", requester("ann")) for _ in range(3)]
        await busy_pool.release(*there)

    asyncio.run(ask())
    assert busy_pool.done == ["there"] * 3


def test_a_request_cancelled_when_called_frees_its_thread(
    busy_pool: BusyPool,
) -> None:
    async def ask() -> None:
        await busy_pool.occupy()
        first = await busy_pool.submit("first", requester("ann"))
        second = await busy_pool.submit("second", requester("bob"))
        # As if one were done, before which a client hears of nothing.
        busy_pool.pool._next()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await busy_pool.release(second)

    asyncio.run(ask())
    assert busy_pool.done == ["second"]
    assert busy_pool.pool._free == AHEAD + 1


@pytest.fixture
def dispatcher(settings: Settings) -> Iterator[Dispatcher]:
    settings.PARLEY_READ_THREADS = settings.PARLEY_WRITE_THREADS = 1
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.close()


def answered(
    dispatcher: Dispatcher, method: str, path: str, *, status: int = 200
) -> str:
    """The thread that answered it."""

    def work() -> Answer:
        return Answer(status, current_thread().name)

    scope = {**SCOPE, "method": method, "path": path}
    answer: Answer = asyncio.run(dispatcher.answer(scope, work))  # type: ignore[arg-type]  # as it is asked
    return answer.thread.rpartition("-")[0]


@pytest.mark.parametrize(
    ("method", "path", "thread"),
    [
        ("GET", "/api/v1/me", "parley-reads"),
        ("HEAD", "/conversations", "parley-reads"),
        ("OPTIONS", "/api/v1/me", "parley-reads"),
        ("POST", "/api/v1/messages", "parley-writes"),
        ("PATCH", "/api/v1/me", "parley-writes"),
        ("DELETE", "/api/v1/me", "parley-writes"),
        ("GET", "/readyz", "parley-readyz"),
        ("GET", "/metrics", "parley-metrics"),
    ],
)
def test_reads_writes_and_probes_have_threads_of_their_own(
    dispatcher: Dispatcher, method: str, path: str, thread: str
) -> None:
    assert answered(dispatcher, method, path) == thread


def test_a_read_that_wants_to_write_and_cannot_is_begun_again_as_a_write(
    dispatcher: Dispatcher,
) -> None:
    threads: list[str] = []

    def work() -> Answer:
        threads.append(current_thread().name)
        note_met_lock()
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, threads[-1])

    answer = asyncio.run(dispatcher.answer(SCOPE, work))
    assert threads == ["parley-reads-0", "parley-writes-0"]
    assert answer.thread == "parley-writes-0"


def test_an_export_that_cannot_begin_waits_with_no_writers(
    dispatcher: Dispatcher,
) -> None:
    threads: list[str] = []

    def work() -> Answer:
        threads.append(current_thread().name)
        note_met_lock()
        return Answer(HTTPStatus.SERVICE_UNAVAILABLE, threads[-1])

    asyncio.run(dispatcher.answer({**SCOPE, "path": "/api/v1/me/export"}, work))
    assert threads == ["parley-reads-0", "parley-exports-0"]


def test_a_read_that_did_without_what_it_wanted_to_write_is_answered(
    dispatcher: Dispatcher,
) -> None:
    def work() -> Answer:
        note_met_lock()
        return Answer(HTTPStatus.OK, current_thread().name)

    assert asyncio.run(dispatcher.answer(SCOPE, work)).thread == "parley-reads-0"
    assert answered(dispatcher, "GET", "/", status=503) == "parley-reads"


def test_a_slow_probe_is_answered_with_retry_after(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.dispatch._PROBE_BOUNDS", Bounds(waiting=20, seconds=0))
    go = Event()
    with pytest.raises(PoolFullError):
        asyncio.run(dispatcher.answer({**SCOPE, "path": "/readyz"}, partial(_slow, go)))
    go.set()


def _slow(go: Event) -> Answer:
    assert go.wait(TIMEOUT)
    return Answer(HTTPStatus.OK, "")
