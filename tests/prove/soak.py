"""Mixed load for minutes, and whether the servers grow under it: see `--help`."""

import argparse
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

import django
import httpx
import psycopg
from typing_extensions import override

from tests.interruption import take_sigterm_as_interrupt
from tests.live_server import LiveServer, served_database
from tests.prove.acknowledged_writes import check_account, check_database
from tests.prove.load import Load

PROCESSES: Final = 2
WRITERS: Final = 6
# Of the time; caches fill, and every thread opens its connection.
WARM_UP: Final = 0.3
MEMORY_GROWTH: Final = 0.05
# Each of them does: readers of the moment, and the sockets of clients.
SPARE_FILES: Final = 16
# Beyond what SQLite checkpoints at (4 MB), and PostgreSQL's `max_wal_size`.
WAL_MB: Final = {"sqlite": 64, "postgres": 1200}
_MEGABYTE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """Of all server processes together, and of their database."""

    memory: int
    files: int
    connections: int
    wal: int


@dataclass(frozen=True, slots=True)
class Verdict:
    what: str
    fine: bool


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__.partition(":")[0] + "."
    )
    arguments.add_argument("--minutes", type=float, default=10)
    minutes: float = arguments.parse_args().minutes
    take_sigterm_as_interrupt()
    django.setup()
    with TemporaryDirectory() as folder, served_database(Path(folder)) as environment:
        server = LiveServer.start(environment, processes=PROCESSES)
        try:
            verdicts = _soak(server, minutes * 60)
        finally:
            server.stop()
    for verdict in verdicts:
        _print(f"{'ok' if verdict.fine else 'FAILED':8}{verdict.what}")
    return 0 if all(verdict.fine for verdict in verdicts) else 1


def _soak(server: LiveServer, seconds: float) -> list[Verdict]:
    load = Load.of(server, writers=WRITERS)
    listeners = [
        Listener(server.client(number % PROCESSES, writer.person))
        for number, writer in enumerate(load.everyone)
    ]
    for listener in listeners:
        listener.start()
    with load.running():
        samples = _samples(server, seconds)
    hearing = sum(listener.is_alive() and listener.heard > 0 for listener in listeners)
    setbacks = len(load.server_state.setbacks)
    check_account(load)
    check_database(load)
    return [
        Verdict(
            f"{load.server_state.acknowledged} writes acknowledged, {setbacks} setbacks",
            setbacks == 0,
        ),
        Verdict(
            f"{hearing} of {len(listeners)} streams open to the end",
            hearing == len(listeners),
        ),
        *_judged(samples, server.environment["DATABASE_URL"]),
    ]


class Listener(Thread):
    """Of one stream, until the server ends it; `heard` counts bytes of events."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(daemon=True)
        self._client = client
        self.heard = 0

    @override
    def run(self) -> None:
        with (
            suppress(httpx.TransportError),
            self._client.stream("GET", "/events", timeout=None) as answer,
        ):
            answer.raise_for_status()
            for chunk in answer.iter_raw():
                self.heard += len(chunk)


def _samples(server: LiveServer, seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    started = time.monotonic()
    while time.monotonic() < started + seconds:
        time.sleep(seconds / 60)
        samples.append(sample(server))
    return samples


def sample(server: LiveServer) -> Sample:
    processes = [
        found
        for process in server.processes
        for found in (process.pid, *_children(process.pid))
    ]
    connections, wal = _database(server.environment["DATABASE_URL"])
    return Sample(
        memory=sum(_resident(process) for process in processes),
        files=sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in processes),
        connections=connections,
        wal=wal,
    )


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in found.split()]


def _resident(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _database(url: str) -> tuple[int, int]:
    """Connections, and the size of the write-ahead log."""
    if url.startswith("sqlite:"):
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as file:
            file.execute("SELECT 1")
        return 0, Path(f"{path}-wal").stat().st_size
    with psycopg.connect(url) as server:
        row = server.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database()),"
            " (SELECT sum(size) FROM pg_ls_waldir())"
        ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _judged(samples: Sequence[Sample], url: str) -> list[Verdict]:
    """Whether all that was measured is bounded."""
    warm = int(len(samples) * WARM_UP)
    before, early, late = samples[:warm], samples[warm : 2 * warm], samples[-warm:]
    memory = [median(one.memory for one in part) / _MEGABYTE for part in (early, late)]
    files = [max(one.files for one in part) for part in (before, late)]
    connections = [max(one.connections for one in part) for part in (before, late)]
    wal = max(one.wal for one in samples) / _MEGABYTE
    growth = memory[1] / memory[0] - 1
    return [
        Verdict(
            f"memory {memory[0]:.1f} MB, later {memory[1]:.1f} MB: {growth:+.1%}",
            growth <= MEMORY_GROWTH,
        ),
        Verdict(
            f"files {files[0]}, later {files[1]}", files[1] <= files[0] + SPARE_FILES
        ),
        Verdict(
            f"connections {connections[0]}, later {connections[1]}",
            connections[1] <= connections[0] + SPARE_FILES,
        ),
        Verdict(
            f"write-ahead log up to {wal:.1f} MB", wal <= WAL_MB[url.partition(":")[0]]
        ),
    ]


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
