"""The processor time of each operation, measured in this process without a server.

    .venv-bench/bin/python -m bench.profile --only "cache hit" --calls 40

The result is the least of several runs, so that other work of the machine hardly
affects it. `--calls` also prints the functions that take most of the time.
"""

import argparse
import cProfile
import os
import pstats
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bench import servers
from bench.operations import Operation, operations

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_RUNS: Final = 7
_SECONDS: Final = 0.3
_WARM_UP: Final = 30

Requests = Callable[[int], None]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--only", default="", help="operations with this in the name")
    parser.add_argument("--calls", type=int, default=0, help="so many functions")
    parser.add_argument("--database-url", default="")
    given = parser.parse_args()
    with (
        TemporaryDirectory(prefix="parley-bench-") as folder,
        servers.filled_database(
            Path(folder), given.messages, given.database_url
        ) as database,
    ):
        application = _application(database.url, folder)
        token = {"HTTP_AUTHORIZATION": f"Bearer {database.filled.reader}"}
        for operation in _all(operations(database.filled)):
            if given.only in operation.name:
                run = _requests(application, operation, token)
                run(_WARM_UP)
                print(f"{_milliseconds(run):7.3f} ms  {operation.name}", flush=True)
                if given.calls:
                    _print_calls(run, given.calls)


def _all(measured: tuple[Operation, ...]) -> tuple[Operation, ...]:
    return (
        Operation("nothing: /healthz", "GET", "/healthz"),
        Operation("who am I", "GET", "/api/v1/me"),
        *measured,
    )


def _application(url: str, folder: str) -> "WSGIApplication":
    os.environ |= {
        "DATABASE_URL": url,
        "PARLEY_DATA_DIR": folder,
        "PARLEY_LIMIT_READS": "999999999/1m",
        "PARLEY_LIMIT_WRITES": "999999999/1m",
        "PARLEY_LOG_FORMAT": "json",
        "PROMETHEUS_MULTIPROC_DIR": folder,
    }
    # Keep the cost of the access log, but write it to a file, not to this terminal.
    standard_error, sys.stderr = sys.stderr, (Path(folder) / "log").open("w")
    try:
        # Import late: the settings are read from the environment at import.
        from config.wsgi import application
    finally:
        sys.stderr = standard_error
    return application


def _requests(
    application: "WSGIApplication", operation: Operation, token: Mapping[str, str]
) -> Requests:
    turns = count()
    conditions: dict[str, str] = {}

    def ask(environ: "WSGIEnvironment") -> dict[str, str]:
        answered: dict[str, str] = {}

        def start(
            status: str, headers: list[tuple[str, str]], _: object = None
        ) -> None:
            answered.update(headers, status=status)

        response = application(environ, start)  # type: ignore[arg-type]  # nothing writes
        for _ in response:
            pass
        response.close()  # type: ignore[attr-defined]  # Django's has it
        if answered["status"] >= "4":
            sys.exit(f"bench.profile: {operation.name}: {answered['status']}")
        return answered

    def run(times: int) -> None:
        for _ in range(times):
            ask(_environ(operation, next(turns), {**token, **conditions}))

    if operation.conditional:
        etag = ask(_environ(operation, next(turns), token))["ETag"]
        conditions["HTTP_IF_NONE_MATCH"] = etag
    return run


def _environ(
    operation: Operation, turn: int, headers: Mapping[str, str]
) -> "WSGIEnvironment":
    first, size, step = operation.numbers
    number = str(first + turn % size * step)
    place = urlsplit(operation.path.replace("{n}", number))
    body = operation.body.replace("{n}", number).encode()
    return {
        "REQUEST_METHOD": operation.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": place.path,
        "QUERY_STRING": place.query,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        **headers,
    }


def _milliseconds(run: Requests) -> float:
    best = float("inf")
    times = 10
    for _ in range(_RUNS):
        started = process_time()
        run(times)
        taken = process_time() - started
        best = min(best, taken / times)
        # Longer runs for quick operations: a run lasts about `_SECONDS`.
        times = max(10, int(_SECONDS / best))
    return best * 1000


def _print_calls(run: Requests, number: int) -> None:
    profile = cProfile.Profile()
    profile.runcall(run, 300)
    pstats.Stats(profile).sort_stats("tottime").print_stats(number)


if __name__ == "__main__":
    main()
