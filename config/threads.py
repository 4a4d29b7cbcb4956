"""Threads for requests, which return their results to the event loop.

`ThreadPoolExecutor` would work, but has a lock and a future of its own beside
asyncio's: a request of 0.6 ms would take 0.05 ms longer. An interpreter that exits
without `close()` does not wait for these threads.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def _nothing() -> None:
    """The default callback."""


class RequestThreads:
    """Up to `number` threads, which start when there is work; first come, first served.

    Each thread first calls `prepare`.
    """

    def __init__(
        self,
        number: int,
        *,
        name: str = "requests",
        prepare: Callable[[], None] = _nothing,
    ) -> None:
        self._number = number
        self._name = name
        self._prepare = prepare
        self._started: list[Thread] = []
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._closed = False

    def submit(
        self, work: Callable[[], T], *, done: Callable[[], None] = _nothing
    ) -> asyncio.Future[T]:
        """Run `work` in a thread; called from an event loop, which gets the result.

        The loop calls `done` when the thread is free again, even if nobody awaits the
        result any more.

        Raises:
            RuntimeError: the threads were closed.
        """
        if self._closed:
            raise RuntimeError("The threads were closed.")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if len(self._started) < self._number:
            self._start_one()
        self._waiting.put(partial(_run, work, future, loop, done))
        return future

    def close(self) -> None:
        """Run the work that waits, then end the threads."""
        self._closed = True
        for _ in self._started:
            # One None ends one thread, after the work that waits before it.
            self._waiting.put(None)
        for thread in self._started:
            thread.join()

    def _start_one(self) -> None:
        name = f"parley-{self._name}-{len(self._started)}"
        thread = Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._started.append(thread)

    def _work(self) -> None:
        self._prepare()
        while (run := self._waiting.get()) is not None:
            run()
            # Free the request's memory before waiting for the next one: its body may be
            # large.
            del run


def _run(
    work: Callable[[], T],
    future: asyncio.Future[T],
    loop: asyncio.AbstractEventLoop,
    done: Callable[[], None],
) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001  # raised where it is awaited
        _call_in_loop(loop, partial(_fail, future, error, done))
    else:
        _call_in_loop(loop, partial(_succeed, future, result, done))


def _call_in_loop(loop: asyncio.AbstractEventLoop, settle: Callable[[], None]) -> None:
    # RuntimeError: the loop is closed, and nobody waits for the result any more.
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(settle)


def _succeed(future: asyncio.Future[T], result: T, done: Callable[[], None]) -> None:
    done()
    if not future.cancelled():
        future.set_result(result)


def _fail(
    future: asyncio.Future[T], error: BaseException, done: Callable[[], None]
) -> None:
    done()
    if not future.cancelled():
        future.set_exception(error)
