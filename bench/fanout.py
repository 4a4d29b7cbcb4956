"""The cost of a message to a group of 1,000: its time, its memory, and how long others
wait.

.venv-bench/bin/python -m bench.fanout [--database-url postgres://…]
"""

import argparse
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from bench import servers
from bench.dataset import CROWD, LONG, PEOPLE
from bench.load import one
from bench.operations import Operation
from bench.servers import Server

_ROUNDS = 20
_BODY = '{"content": "Message {n}"}'


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.fanout", description=__doc__)
    parser.add_argument("--database-url", default="")
    url = parser.parse_args().database_url
    with (
        TemporaryDirectory(prefix="parley-bench-") as folder,
        servers.filled_database(Path(folder), 10_000, url) as database,
        servers.ours(database, redis_url="") as server,
    ):
        writer = {**server.headers, "Authorization": f"Bearer {database.filled.writer}"}
        alone = [_send(server, writer, LONG) for _ in range(10 * _ROUNDS)]
        memory = server.megabytes()
        over = threading.Event()
        meanwhile: list[float] = []
        others = threading.Thread(
            target=lambda: meanwhile.extend(_until(over, server, writer))
        )
        others.start()
        crowd = [_send(server, server.headers, CROWD) for _ in range(_ROUNDS)]
        over.set()
        others.join()
        print(f"a message to {PEOPLE - 1}: {_told(crowd)}")
        print(f"another's sends, alone: {_told(alone)}; meanwhile: {_told(meanwhile)}")
        print(f"memory: {memory:.0f} MB before, {server.megabytes():.0f} after")


def _until(
    over: threading.Event, server: Server, headers: Mapping[str, str]
) -> Iterator[float]:
    while not over.is_set():
        yield _send(server, headers, LONG)


def _send(server: Server, headers: Mapping[str, str], conversation: int) -> float:
    path = f"/api/v1/conversations/{conversation}/messages"
    started = perf_counter()
    one(server.base, Operation("send", "POST", path, _BODY), headers)
    return (perf_counter() - started) * 1000


def _told(waits: list[float]) -> str:
    return f"median {median(waits):.1f} ms, at most {max(waits):.1f}"


if __name__ == "__main__":
    main()
