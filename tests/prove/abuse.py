"""What hostile clients do to a server, and that others go on: see `--help`.

The write lock is held, exports are left halfway, answers are requested that nobody
reads, events come in bursts. Meanwhile other people read, and probes are answered;
afterwards everything that was accepted is done, and the servers are as they were.
"""

import argparse
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import django
import httpx

from tests.api_client import Json
from tests.interruption import take_sigterm_as_interrupt
from tests.live.concurrent_calls import send, start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream
from tests.live.held_writers import hold_writers
from tests.live_server import LiveServer, Person, served_database
from tests.prove.soak import Sample, Verdict, sample

PROCESSES: Final = 2
LONG: Final = "long " * 900
MESSAGES: Final = 300
WRITES: Final = 300
WAITING: Final = 64
AT_ONCE: Final = 32
EXPORTS: Final = 20
HOARDERS: Final = 100
BURST: Final = 400
SEND_SECONDS: Final = 3
MEMORY_MB: Final = 150
# Every thread of a server has the database's files open; fewer than hoarders.
SPARE_FILES: Final = 64
# For a server to be as it was; each is given up with a verdict.
_TIMEOUT: Final = 120
_MEGABYTE: Final = 2**20


class AbuseTarget:
    """Servers, a group with a long history, and who is in it."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.people = [server.register(name) for name in ("ann", "bob", "cleo")]
        owner = server.client(0, self.people[0])
        self.group = start_group(owner, *self.people[1:])
        for _ in range(MESSAGES):
            send(owner, self.group, LONG)
        self.path = f"/conversations/{self.group}/messages"
        self._writers = [
            self._writer(process, person)
            for person in self.people[:2]
            for process in range(PROCESSES)
        ]

    def _writer(self, process: int, person: Person) -> httpx.Client:
        """With as many connections at once as there are writes."""
        client = httpx.Client(
            base_url=f"{self.server.urls[process]}/api/v1",
            headers=person.headers,
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=WRITES),
        )
        self.server.clients.append(client)
        return client

    def write(self, number: int) -> httpx.Response:
        client = self._writers[number % len(self._writers)]
        return client.post(self.path, json={"content": f"burst {number}"})

    def sequence(self) -> int:
        """The newest of the group."""
        reader = self.server.client(0, self.people[2])
        answer = reader.get(f"/conversations/{self.group}").raise_for_status()
        newest: int = answer.json()["last_sequence"]
        return newest

    @contextmanager
    def open_request(self, path: str, number: int) -> Iterator[socket.socket]:
        """A connection on which somebody has asked for something."""
        place = urlsplit(self.server.urls[number % PROCESSES])
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(_TIMEOUT)
            client.connect((place.hostname, place.port))
            token = self.people[number % 3].token
            client.sendall(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode("ascii")
            )
            yield client


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python -m tests.prove.abuse", description=__doc__.partition(":")[0] + "."
    )
    arguments.parse_args()
    take_sigterm_as_interrupt()
    django.setup()
    with TemporaryDirectory() as folder, served_database(Path(folder)) as environment:
        server = LiveServer.start(
            {
                **environment,
                "PARLEY_SEND_SECONDS": str(SEND_SECONDS),
                "PARLEY_MAX_WAITING": str(WAITING),
            },
            processes=PROCESSES,
        )
        try:
            fine = [
                _print_verdict(verdict) for verdict in _run_abuse(AbuseTarget(server))
            ]
        finally:
            server.stop()
    return 0 if all(fine) else 1


def _print_verdict(verdict: Verdict) -> bool:
    sys.stdout.write(f"{'ok' if verdict.fine else 'FAILED':8}{verdict.what}\n")
    sys.stdout.flush()
    return verdict.fine


def _run_abuse(target: AbuseTarget) -> Iterator[Verdict]:
    # Once without, so that threads and caches are there.
    list(_ask_as_others(target, target.people[2]))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(target.write, range(4 * AT_ONCE)))
    before = sample(target.server)
    yield from _hold_writers(target)
    yield from _leave_exports(target)
    yield from _leave_answers_unread(target)
    yield from _send_bursts(target)
    yield from _as_before(target.server, before)


def _hold_writers(target: AbuseTarget) -> Iterator[Verdict]:
    """More writes than may wait, while nobody can write."""
    first = target.sequence()
    with ThreadPoolExecutor(WRITES) as pool:
        with hold_writers(target.server.environment):
            writes = [pool.submit(target.write, number) for number in range(WRITES)]
            wait(writes, _TIMEOUT, return_when="FIRST_COMPLETED")
            yield from _others_go_on(target, "while nobody can write")
            still = sum(not write.done() for write in writes)
            yield Verdict(f"{still} writes waited meanwhile", still > 0)
        statuses = Counter(write.result(_TIMEOUT).status_code for write in writes)
    done = statuses[HTTPStatus.CREATED]
    refused = statuses[HTTPStatus.SERVICE_UNAVAILABLE]
    yield Verdict(
        f"{done} writes done afterwards, {refused} refused, {WRITES - done - refused} lost",
        done + refused == WRITES and target.sequence() - first == done,
    )
    yield Verdict("refusals have a Retry-After", _said_when(writes))


def _said_when(writes: list[Future[httpx.Response]]) -> bool:
    answers = [write.result() for write in writes]
    return all(
        "Retry-After" in answer.headers and answer.json()["code"] == "overloaded"
        for answer in answers
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    )


def _leave_exports(target: AbuseTarget) -> Iterator[Verdict]:
    for number in range(EXPORTS):
        with target.open_request("/api/v1/me/export", number) as client:
            client.recv(1024)
    yield from _others_go_on(target, "after exports were left halfway")


def _leave_answers_unread(target: AbuseTarget) -> Iterator[Verdict]:
    path = f"/api/v1{target.path}?limit=200"
    with ExitStack() as stack:
        for number in range(HOARDERS):
            stack.enter_context(target.open_request(path, number))
        yield from _others_go_on(target, f"beside {HOARDERS} answers that nobody reads")
        files = sample(target.server).files
        left = _eventually(lambda: sample(target.server).files <= files - HOARDERS // 2)
        yield Verdict("those who read nothing are cut off while they stay", left)


def _send_bursts(target: AbuseTarget) -> Iterator[Verdict]:
    """A burst of events: a stream sends each, in order."""
    reader = target.server.client(0, target.people[2])
    with open_stream(reader) as stream, ThreadPoolExecutor(AT_ONCE + 1) as pool:
        received = logged(stream)
        next(received)
        # Read as it comes: whoever does not is cut off.
        hearing = pool.submit(_sequences, received)
        writes = [pool.submit(target.write, number) for number in range(BURST)]
        yield from _others_go_on(target, "in a burst of events")
        done = sum(write.result().status_code == HTTPStatus.CREATED for write in writes)
        sequences = hearing.result(_TIMEOUT) if done == BURST else []
    fine = len(sequences) == BURST and sequences == sorted(set(sequences))
    yield Verdict(
        f"{len(sequences)} of {BURST} events received, each once, in order", fine
    )


def _sequences(received: Iterator[ReceivedEvent]) -> list[int]:
    """Of as many messages as a burst has."""
    created = (frame.data for frame in received if frame.type == "message.created")
    return [_sequence_of(data) for data in islice(created, BURST)]


def _sequence_of(data: Json) -> int:
    message = data["message"]
    assert isinstance(message, dict)
    sequence = message["sequence"]
    assert isinstance(sequence, int)
    return sequence


def _others_go_on(target: AbuseTarget, when: str) -> Iterator[Verdict]:
    answers = list(_ask_as_others(target, target.people[2]))
    slowest = max(seconds for _, seconds in answers)
    failed = sum(status != HTTPStatus.OK for status, _ in answers)
    yield Verdict(
        f"{when}: {len(answers)} reads and probes, {failed} failed,"
        f" the slowest in {slowest * 1000:.0f} ms",
        failed == 0,
    )


def _ask_as_others(target: AbuseTarget, reader: Person) -> Iterator[tuple[int, float]]:
    """Statuses and seconds of what other people and probes ask for."""
    for number, url in enumerate(target.server.urls):
        api = target.server.client(number, reader)
        for path in ("/me", "/inbox", "/conversations", target.path):
            yield _timed(partial(api.get, path))
        for path in ("/healthz", "/readyz", "/metrics"):
            yield _timed(partial(httpx.get, url + path, timeout=_TIMEOUT))


def _timed(ask: Callable[[], httpx.Response]) -> tuple[int, float]:
    started = time.monotonic()
    return ask().status_code, time.monotonic() - started


def _as_before(server: LiveServer, before: Sample) -> Iterator[Verdict]:
    for client in server.clients:
        client.close()
    _eventually(lambda: sample(server).files <= before.files + SPARE_FILES)
    after = sample(server)
    yield Verdict(
        f"files {before.files}, afterwards {after.files}",
        after.files <= before.files + SPARE_FILES,
    )
    yield Verdict(
        f"database connections {before.connections}, afterwards {after.connections}",
        after.connections <= before.connections + SPARE_FILES,
    )
    grown = (after.memory - before.memory) / _MEGABYTE
    yield Verdict(
        f"memory {before.memory / _MEGABYTE:.0f} MB, afterwards {grown:+.0f} MB",
        grown <= MEMORY_MB,
    )


def _eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.2)
    return False


if __name__ == "__main__":
    sys.exit(main())
