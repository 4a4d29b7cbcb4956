"""Generates load for one operation: with wrk if it is installed, else with threads."""

import http.client
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.operations import Operation

_SCRIPT = """
local method, path, body = {method}, {path}, {body}
local headers = {{ {headers} }}
local first, size, step = {first}, {size}, {step}
local turn = {turn}
function request()
    local n = tostring(first + (turn % size) * step)
    turn = turn + 1
    return wrk.format(method, (path:gsub("{{n}}", n)), headers, (body:gsub("{{n}}", n)))
end
function done(summary, latency, requests)
    io.write(string.format('\\n{{"count": %d, "micros": %d, "p50": %d, "p99": %d, "failed": %d}}\\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        summary.errors.status + summary.errors.read + summary.errors.write
        + summary.errors.timeout + summary.errors.connect))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one run; times in milliseconds."""

    per_second: float
    p50: float
    p99: float
    failed: int
    count: int


# Each run begins at another number, so that no two runs request the same pages.
_turns = count(0, 40_000)


def tool() -> str:
    return "wrk" if shutil.which("wrk") else "threads of Python"


def drive(
    base: str,
    operation: Operation,
    headers: Mapping[str, str],
    *,
    connections: int,
    seconds: float,
) -> Load:
    if shutil.which("wrk"):
        return _wrk(base, operation, headers, connections, seconds)
    return _threads(base, operation, headers, connections, seconds)


def _wrk(
    base: str,
    operation: Operation,
    headers: Mapping[str, str],
    connections: int,
    seconds: float,
) -> Load:
    with TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(_script(operation, headers))
        report = subprocess.run(
            [
                *("wrk", "--threads", "1", "--connections", str(connections)),
                *("--duration", f"{max(1, round(seconds))}s", "--timeout", "30s"),
                *("--script", str(script), base),
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    found = json.loads(report.strip().splitlines()[-1])
    return Load(
        per_second=found["count"] / (found["micros"] / 1e6),
        p50=found["p50"] / 1000,
        p99=found["p99"] / 1000,
        failed=found["failed"],
        count=found["count"],
    )


def _script(operation: Operation, headers: Mapping[str, str]) -> str:
    first, size, step = operation.numbers
    return _SCRIPT.format(
        method=json.dumps(operation.method),
        path=json.dumps(operation.path),
        body=json.dumps(operation.body),
        headers=", ".join(
            f"[{json.dumps(name)}] = {json.dumps(value)}"
            for name, value in headers.items()
        ),
        first=first,
        size=size,
        step=step,
        turn=next(_turns),
    )


def _threads(
    base: str,
    operation: Operation,
    headers: Mapping[str, str],
    connections: int,
    seconds: float,
) -> Load:
    waits: list[float] = []
    failures: list[int] = []
    turns = count(next(_turns))
    end = time.perf_counter() + seconds

    def run() -> None:
        client = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
        while time.perf_counter() < end:
            started = time.perf_counter()
            path, body = _request(operation, next(turns))
            client.request(operation.method, path, body, dict(headers))
            answer = client.getresponse()
            answer.read()
            waits.append(time.perf_counter() - started)
            if answer.status >= http.client.BAD_REQUEST:
                failures.append(answer.status)
        client.close()

    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.sort()
    return Load(
        per_second=len(waits) / seconds,
        p50=waits[len(waits) // 2] * 1000,
        p99=waits[len(waits) * 99 // 100] * 1000,
        failed=len(failures),
        count=len(waits),
    )


def _request(operation: Operation, turn: int) -> tuple[str, str | None]:
    first, size, step = operation.numbers
    number = str(first + turn % size * step)
    body = operation.body.replace("{n}", number)
    return operation.path.replace("{n}", number), body or None


def one(
    base: str, operation: Operation, headers: Mapping[str, str]
) -> tuple[bytes, str]:
    """Make one request of an operation; return its body and ETag.

    Raises:
        RuntimeError: the status was 400 or above.
    """
    client = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    path, body = _request(operation, next(_turns))
    client.request(operation.method, path, body, dict(headers))
    answer = client.getresponse()
    content = answer.read()
    client.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise RuntimeError(f"{operation.name}: {answer.status} {content[:500]!r}")
    return content, answer.headers.get("ETag", "")
