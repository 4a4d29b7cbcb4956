"""Dispatches requests to worker pools; see decision 0017.

Reads and writes have separate pools: on SQLite all writers wait for one lock, and reads
must not wait for threads that do. A read that needs this lock while it is taken fails
without a change, and is repeated in the pool for writes. The start of an export is
repeated in a pool of its own, so that it fails soon instead of waiting behind every
writer. Each health probe has its own pool with a short queue: monitoring has to notice
soon that the server does not answer.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from django.conf import settings

from config.environ import environ_of, has_body
from config.sqlite.lock_waits import has_met_a_lock, never_wait_for_locks
from config.threads import RequestThreads
from config.worker_pools import Bounds, PoolFullError, Requester, WorkerPool
from edge.addresses import address_of

if TYPE_CHECKING:
    from asgiref.typing import HTTPScope

_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_PROBES: Final = ("/readyz", "/metrics")
_PROBE_BOUNDS: Final = Bounds(waiting=20, seconds=2)

_EXPORT: Final = "/api/v1/me/export"
# Few threads: each start of an export waits some seconds at most for the write lock.
_EXPORT_THREADS: Final = 2
_EXPORT_BOUNDS: Final = Bounds(waiting=20, seconds=5)

# Threads for the pieces of streamed answers, so that exports do not occupy those of
# requests.
_STREAM_THREADS: Final = 2

_SESSION: Final = re.compile(rf"\b{re.escape(settings.SESSION_COOKIE_NAME)}=([^;]*)")


class Answered(Protocol):
    @property
    def status(self) -> int: ...


A = TypeVar("A", bound=Answered)


class Dispatcher:
    """The worker pools of a process."""

    def __init__(self) -> None:
        bounds = Bounds(
            settings.PARLEY_MAX_WAITING, settings.PARLEY_MAX_WAITING_SECONDS
        )
        reads, writes = settings.PARLEY_READ_THREADS, settings.PARLEY_WRITE_THREADS
        self._reads = WorkerPool(
            RequestThreads(reads, name="reads", prepare=never_wait_for_locks),
            reads,
            bounds,
        )
        self._writes = WorkerPool(RequestThreads(writes, name="writes"), writes, bounds)
        self._exports = WorkerPool(
            RequestThreads(_EXPORT_THREADS, name="exports"),
            _EXPORT_THREADS,
            _EXPORT_BOUNDS,
        )
        self._probes = {
            path: WorkerPool(RequestThreads(1, name=path[1:]), 1, _PROBE_BOUNDS)
            for path in _PROBES
        }
        self.streams = RequestThreads(_STREAM_THREADS, name="streams")

    async def answer(self, scope: "HTTPScope", work: Callable[[], A]) -> A:
        """Run a request in its pool and return the answer.

        Raises:
            PoolFullError: too many requests wait, or this one waited too long.
        """
        requester = partial(_requester_of, scope)
        if probe := self._probes.get(scope["path"]):
            return await _in_time(probe, work, requester)
        if scope["method"] in _READING:
            answer = await self._reads.run(partial(_without_waiting, work), requester)
            # None: the database was locked. The read has changed nothing, so it can be
            # repeated.
            if answer is not None:
                return answer
            if scope["path"] == _EXPORT:
                return await self._exports.run(work, requester)
        return await self._writes.run(work, requester)

    def close(self) -> None:
        """Answer the requests that wait, then end the threads."""
        pools = (self._reads, self._writes, self._exports, *self._probes.values())
        for pool in pools:
            pool.close()
        self.streams.close()


def is_answered_in_loop(scope: "HTTPScope") -> bool:
    """Whether the event loop answers: `/healthz` tells only that the process runs."""
    asked = scope["path"] == "/healthz" and scope["method"] in _READING
    return asked and not has_body(scope)


async def _in_time(
    probe: WorkerPool, work: Callable[[], A], requester: Callable[[], Requester]
) -> A:
    try:
        async with asyncio.timeout(_PROBE_BOUNDS.seconds):
            return await probe.run(work, requester)
    except TimeoutError:
        raise PoolFullError from None


def _without_waiting(work: Callable[[], A]) -> A | None:
    """Run a request that must not wait; None if it failed because the database was locked."""
    has_met_a_lock()
    # The call above has cleared the note of an earlier request in this thread.
    answer = work()
    return (
        None
        if has_met_a_lock() and answer.status == HTTPStatus.SERVICE_UNAVAILABLE
        else answer
    )


def _requester_of(scope: "HTTPScope") -> Requester:
    environ = environ_of(scope, b"")
    address = address_of(environ)
    session = _SESSION.search(environ.get("HTTP_COOKIE", ""))
    credential = environ.get("HTTP_AUTHORIZATION") or (session and session[1])
    # A digest, since the credential is a secret.
    account = (
        sha256(credential.encode("latin-1")).hexdigest() if credential else address
    )
    return Requester(account, address)
