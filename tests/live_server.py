"""Real server processes over a database of their own, for what needs several."""

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Final

import httpx
from django.conf import settings

from tests.databases import migrated_database

PASSWORD = "correct horse battery staple"

# A line for each of tens of thousands of requests.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Long enough for a busy machine; a test never waits for it to pass.
_TIMEOUT = 60


@dataclass(slots=True)
class Person:
    """Someone with an account on the live server."""

    username: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(slots=True)
class LiveServer:
    """Server processes that share a database; `urls` has one base URL for each."""

    environment: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    @classmethod
    def start(cls, environment: Mapping[str, str], *, processes: int) -> "LiveServer":
        server = cls(environment)
        for _ in range(processes):
            server.add_process()
        return server

    def add_process(self) -> str:
        """Start one more, and wait until it is ready."""
        url = f"http://127.0.0.1:{free_port()}"
        self.urls.append(url)
        self.processes.append(self._spawn(url))
        self._await_ready(url, self.processes[-1])
        return url

    def kill(self, process: int) -> None:
        """End one as a power cut would, its workers with it."""
        os.killpg(self.processes[process].pid, signal.SIGKILL)
        self.processes[process].wait(_TIMEOUT)

    def freeze(self, process: int) -> None:
        """Let one take connections and answer nothing; it can only be killed."""
        os.killpg(self.processes[process].pid, signal.SIGSTOP)

    def end(self, process: int) -> None:
        """Stop one as an operator does, with what it has begun done."""
        self.processes[process].terminate()
        self.processes[process].wait(_TIMEOUT)

    def revive(self, process: int) -> None:
        """Start one that was killed or ended again, at its address, and wait until it is ready."""
        self.processes[process] = self._spawn(self.urls[process])
        self._await_ready(self.urls[process], self.processes[process])

    def client(self, process: int = 0, person: Person | None = None) -> httpx.Client:
        """A client of one of the processes, as this person or as nobody.

        Closed with the server.
        """
        client = httpx.Client(
            base_url=f"{self.urls[process]}/api/v1",
            headers={} if person is None else person.headers,
            timeout=_TIMEOUT,
        )
        self.clients.append(client)
        return client

    def register(self, name: str) -> Person:
        username = f"{name}-{secrets.token_hex(4)}"
        answer = self.client().post(
            "/auth/register", json={"username": username, "password": PASSWORD}
        )
        answer.raise_for_status()
        return Person(username, answer.json()["token"])

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(_TIMEOUT)

    def _spawn(self, url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                *("-m", "granian", "--interface", "asgi"),
                *("--port", url.rpartition(":")[2]),
                *("--workers", "1", "--backpressure", "2000"),
                *("--log-level", "warning", "config.asgi:application"),
            ],
            env=self.environment,
            cwd=settings.BASE_DIR,
            # A group of its own, so that `kill` reaches all of it.
            start_new_session=True,
        )

    def _await_ready(self, url: str, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _TIMEOUT
        while True:
            try:
                httpx.get(f"{url}/readyz", timeout=_TIMEOUT).raise_for_status()
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def serving(environment: Mapping[str, str], processes: int = 2) -> Iterator[LiveServer]:
    server = LiveServer.start(environment, processes=processes)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def served_database(folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment of servers with a fresh, migrated database."""
    with migrated_database(folder) as url:
        yield served_by(url, folder)


def served_by(url: str, folder: Path) -> Mapping[str, str]:
    """The environment of servers with this database."""
    return {
        **os.environ,
        "DATABASE_URL": url,
        "PARLEY_DATA_DIR": str(folder),
        "PARLEY_LOG_LEVEL": "WARNING",
        # A test that is about limits sets its own.
        "PARLEY_RATE_LIMITS": "off",
    }


# Below those that the kernel gives to outgoing connections, which would take one between
# here and its server; and other ones for each process of the tests.
_FIRST_PORT: Final = 10_000 + os.getpid() % 200 * 100
_PORTS: Final = cycle(range(_FIRST_PORT, _FIRST_PORT + 100))


def free_port() -> int:
    return next(port for port in _PORTS if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
