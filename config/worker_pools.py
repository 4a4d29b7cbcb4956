"""Worker pools (bulkheads): threads, each pool with a bounded and fair queue.

Requests that may block one another, as writers do, have their own pool, so that they
delay no others. A queue serves addresses round robin, and the accounts of an address
round robin: a client could invent many credentials, and must not gain by that. No
client may fill more than half of a queue.

Only the event loop uses the queue, so it needs no lock.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from config.threads import RequestThreads

T = TypeVar("T")

# Requests handed to the threads in advance: otherwise a thread would idle until the
# event loop hands over the next one.
_READY: Final = 2


class PoolFullError(Exception):
    """The queue is full, or the request waited too long; the request was not started."""


class Requester(NamedTuple):
    """The client of a request: its address, and a digest of its credential (or the address)."""

    account: str
    address: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a queue: requests that may wait, seconds to wait, and one client's `share`."""

    waiting: int
    seconds: float

    @property
    def share(self) -> int:
        return max(1, self.waiting // 2)


_Ticket = asyncio.Future[None]


class _Queue:
    """A fair queue of tickets: round robin over addresses, and over the accounts of each."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, OrderedDict[str, deque[_Ticket]]] = (
            OrderedDict()
        )

    def add(self, requester: Requester, ticket: _Ticket) -> None:
        accounts = self._addresses.setdefault(requester.address, OrderedDict())
        accounts.setdefault(requester.account, deque()).append(ticket)

    def remove(self, requester: Requester, ticket: _Ticket) -> None:
        accounts = self._addresses.get(requester.address, OrderedDict())
        tickets = accounts.get(requester.account, deque())
        with suppress(ValueError):
            tickets.remove(ticket)
        if not tickets:
            accounts.pop(requester.account, None)
        if not accounts:
            self._addresses.pop(requester.address, None)

    def next(self) -> _Ticket | None:
        """Remove and return the ticket of the client served longest ago; None if nobody waits."""
        if not self._addresses:
            return None
        address, accounts = self._addresses.popitem(last=False)
        account, tickets = accounts.popitem(last=False)
        ticket = tickets.popleft()
        if tickets:
            accounts[account] = tickets
        if accounts:
            self._addresses[address] = accounts
        return ticket


class WorkerPool:
    """A pool of `number` threads and its queue."""

    def __init__(self, threads: RequestThreads, number: int, bounds: Bounds) -> None:
        self._threads = threads
        self._free = number + _READY
        self._bounds = bounds
        self._queue = _Queue()
        self._waiting = Counter[str]()
        self._number = 0

    async def run(self, work: Callable[[], T], requester: Callable[[], Requester]) -> T:
        """Run `work` in a thread and return its result.

        `requester` is called only if the request has to wait.

        Raises:
            PoolFullError: the queue is full, or the request waited too long.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(requester())
        return await self._threads.submit(work, done=self._next)

    def close(self) -> None:
        self._threads.close()

    async def _wait(self, requester: Requester) -> None:
        self._enter(requester)
        ticket: _Ticket = asyncio.get_running_loop().create_future()
        self._queue.add(requester, ticket)
        try:
            async with asyncio.timeout(self._bounds.seconds):
                await ticket
        except BaseException as error:
            self._give_up(requester, ticket)
            if isinstance(error, TimeoutError):
                raise PoolFullError from None
            raise
        finally:
            self._leave(requester)

    def _enter(self, requester: Requester) -> None:
        # A client's share is counted by its credential and by its address.
        theirs = max(self._waiting[part] for part in requester)
        if self._number >= self._bounds.waiting or theirs >= self._bounds.share:
            raise PoolFullError
        self._number += 1
        self._waiting.update(set(requester))

    def _leave(self, requester: Requester) -> None:
        self._number -= 1
        self._waiting.subtract(set(requester))
        # Remove zeros: otherwise the counter would grow with every address.
        for part in set(requester):
            if not self._waiting[part]:
                del self._waiting[part]

    def _give_up(self, requester: Requester, ticket: _Ticket) -> None:
        if not ticket.cancelled():
            # The ticket was called at the moment it gave up: pass the free thread on.
            self._next()
            return
        self._queue.remove(requester, ticket)

    def _next(self) -> None:
        """Give a free thread to the next ticket."""
        while (ticket := self._queue.next()) is not None:
            if not ticket.cancelled():
                ticket.set_result(None)
                return
        self._free += 1
