"""The cost of live events: their latency, and the resources that idle streams use.

Each measurement starts `config.asgi` under granian, like scripts/serve, over a new
SQLite database, and prints one line.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "correct horse battery staple"  # noqa: S105  # of accounts made up here
PATIENCE = 60.0
# How many streams a person may open: see PARLEY_MAX_STREAMS_PER_USER.
STREAMS_EACH = 20


@dataclass(slots=True)
class Person:
    username: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(slots=True)
class Listener:
    """Reads one event stream as bytes. `told` gets the time at which each message arrived."""

    person: Person
    port: int
    told: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Authorization: Bearer %b\r\n\r\n" % self.person.token.encode()
        )
        created = False
        while line := await reader.readline():
            if line == b"event: ready\n":
                self.ready.set()
            elif line.startswith(b"event: "):
                created = line == b"event: message.created\n"
            elif created and line.startswith(b"data: "):
                self.told.put_nowait(time.perf_counter())


@contextlib.contextmanager
def served(workers: int) -> Iterator[tuple[int, int]]:
    """Start a server over a new database; yield its port and process id."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "PARLEY_DATA_DIR": folder,
            "PARLEY_LOG_LEVEL": "WARNING",
            "PARLEY_RATE_LIMITS": "off",
        }
        run = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(run, env=environment, cwd=ROOT, check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi"),
                *("--port", str(port), "--workers", str(workers)),
                *("--backlog", "1024", "--backpressure", "11000"),
                *("--log-level", "warning", "config.asgi:application"),
            ],
            env=environment,
            cwd=ROOT,
        )
        try:
            transport = httpx.HTTPTransport(retries=20)
            with httpx.Client(transport=transport, timeout=PATIENCE) as client:
                client.get(f"http://127.0.0.1:{port}/readyz").raise_for_status()
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE)


def api(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}/api/v1", timeout=PATIENCE
    )


async def register(client: httpx.AsyncClient, names: list[str]) -> list[Person]:
    people = []
    for name in names:
        body = {"username": name, "password": PASSWORD}
        answer = await client.post("/auth/register", json=body)
        people.append(Person(name, answer.raise_for_status().json()["token"]))
    return people


async def start_group(client: httpx.AsyncClient, people: list[Person]) -> int:
    body = {
        "kind": "group",
        "title": "Bench",
        "participants": [person.username for person in people[1:]],
    }
    answer = await client.post("/conversations", json=body, headers=people[0].headers)
    conversation: int = answer.raise_for_status().json()["id"]
    return conversation


async def send(
    client: httpx.AsyncClient, sender: Person, conversation: int, content: str
) -> float:
    """Send a message; return the time before it was sent."""
    begun = time.perf_counter()
    path = f"/conversations/{conversation}/messages"
    answer = await client.post(path, json={"content": content}, headers=sender.headers)
    answer.raise_for_status()
    return begun


@contextlib.asynccontextmanager
async def listening(people: list[Person], port: int) -> AsyncIterator[list[Listener]]:
    listeners = [Listener(person, port) for person in people]
    tasks = []
    for listener in listeners:
        tasks.append(asyncio.create_task(listener.listen()))
        await asyncio.wait_for(listener.ready.wait(), PATIENCE)
    try:
        yield listeners
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def delivery(listeners: int, *, workers: int, messages: int) -> None:
    """Measure the time from sending a message until each listener has its frame."""
    with served(workers) as (port, _):
        async with api(port) as client:
            people = await register(client, [f"p{n}" for n in range(listeners + 1)])
            conversation = await start_group(client, people)
            latencies: list[float] = []
            async with listening(people[1:], port) as streams:
                await asyncio.sleep(2)
                for number in range(messages):
                    begun = await send(
                        client, people[0], conversation, f"message {number}"
                    )
                    latencies += [await stream.told.get() - begun for stream in streams]
                    await asyncio.sleep(0.02)
    show(f"delivery to {listeners}, {workers} workers", quantiles(latencies))


async def idle(streams: int) -> None:
    """Measure the memory and processor time of one process with this many idle streams."""
    with served(1) as (port, process):
        async with api(port) as client:
            people = await register(
                client, [f"p{n}" for n in range(-(-streams // STREAMS_EACH))]
            )
            before = memory(process)
            spread = [people[number % len(people)] for number in range(streams)]
            async with listening(spread, port):
                await asyncio.sleep(5)
                used, begun = processor(process), time.perf_counter()
                await asyncio.sleep(20)
                share = (processor(process) - used) / (time.perf_counter() - begun)
                grown = (memory(process) - before) / 1024
    show(
        f"{streams} idle streams",
        {"memory MiB": grown, "processor %": 100 * share},
    )


async def load(streams: int, *, workers: int, seconds: float) -> None:
    """Measure response times of 50 reads and 5 sends a second while streams are open."""
    with served(workers) as (port, _):
        async with api(port) as client:
            people = await register(
                client, [f"p{n}" for n in range(-(-streams // STREAMS_EACH))]
            )
            conversation = await start_group(client, people)
            spread = [people[number % len(people)] for number in range(streams)]
            async with listening(spread, port):
                answered: list[float] = []
                await asyncio.gather(
                    *(
                        paced(client, people, conversation, kind, answered, seconds)
                        for kind in ("read", "send")
                    )
                )
    show(f"requests beside {streams} streams, {workers} workers", quantiles(answered))


RATES: Mapping[str, float] = {"read": 50.0, "send": 5.0}


async def paced(
    client: httpx.AsyncClient,
    people: list[Person],
    conversation: int,
    kind: str,
    answered: list[float],
    seconds: float,
) -> None:
    async def once(number: int) -> None:
        begun = time.perf_counter()
        if kind == "send":
            await send(client, people[0], conversation, f"message {number}")
        else:
            headers = people[number % len(people)].headers
            answer = await client.get("/inbox?limit=20", headers=headers)
            answer.raise_for_status()
        answered.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as running:
        for number in range(int(RATES[kind] * seconds)):
            running.create_task(once(number))
            await asyncio.sleep(1 / RATES[kind])


def children(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in listed]


def memory(process: int) -> float:
    """The resident memory of the server's workers, in KiB."""
    return sum(
        float(line.split()[1])
        for child in children(process)
        for line in Path(f"/proc/{child}/status").read_text().splitlines()
        if line.startswith("VmRSS:")
    )


def processor(process: int) -> float:
    """The processor time of the server's workers, in seconds."""
    ticks = 0
    for child in children(process):
        fields = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def quantiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "median ms": 1000 * cuts[49],
        "p95 ms": 1000 * cuts[94],
        "p99 ms": 1000 * cuts[98],
    }


def show(name: str, values: Mapping[str, float]) -> None:
    numbers = "  ".join(f"{key} {value:.1f}" for key, value in values.items())
    sys.stdout.write(f"{name}: {numbers}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench-events", description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--messages", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    for listeners in (1, 100):
        asyncio.run(
            delivery(listeners, workers=options.workers, messages=options.messages)
        )
    asyncio.run(idle(1000))
    asyncio.run(load(500, workers=options.workers, seconds=options.seconds))


if __name__ == "__main__":
    main()
