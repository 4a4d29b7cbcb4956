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
from pathlib import Path
from typing import Literal

import httpx
import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

PASSWORD = "correct horse battery staple"

Interface = Literal["asgi", "wsgi"]

# A line for each of tens of thousands of requests.
logging.getLogger("httpx").setLevel(logging.WARNING)

# Long enough for a busy machine; a test never waits for it to pass.
_PATIENCE = 60


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
    interface: Interface = "asgi"
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        environment: Mapping[str, str],
        *,
        processes: int,
        interface: Interface = "asgi",
    ) -> "LiveServer":
        server = cls(environment, interface)
        for _ in range(processes):
            server.add_process()
        return server

    def add_process(self) -> str:
        """Start one more, and wait until it is ready."""
        url = f"http://127.0.0.1:{free_port()}"
        self.urls.append(url)
        self.processes.append(self._spawn(url))
        self._await_ready(url)
        return url

    def kill(self, process: int) -> None:
        """End one as a power cut would, its workers with it."""
        os.killpg(self.processes[process].pid, signal.SIGKILL)
        self.processes[process].wait(_PATIENCE)

    def revive(self, process: int) -> None:
        """Start one that was killed again, at its address, and wait until it is ready."""
        self.processes[process] = self._spawn(self.urls[process])
        self._await_ready(self.urls[process])

    def client(self, process: int = 0, person: Person | None = None) -> httpx.Client:
        """A client of one of the processes, as this person or as nobody.

        Closed with the server.
        """
        client = httpx.Client(
            base_url=f"{self.urls[process]}/api/v1",
            headers={} if person is None else person.headers,
            timeout=_PATIENCE,
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
            process.wait(_PATIENCE)

    def _spawn(self, url: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                *("-m", "granian", "--interface", self.interface),
                *("--port", url.rpartition(":")[2]),
                *("--workers", "1", "--backpressure", "2000"),
                *("--log-level", "warning", f"config.{self.interface}:application"),
            ],
            env=self.environment,
            cwd=settings.BASE_DIR,
            # A group of its own, so that `kill` reaches all of it.
            start_new_session=True,
        )

    def _await_ready(self, url: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                httpx.get(f"{url}/readyz", timeout=_PATIENCE).raise_for_status()
            except httpx.TransportError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return


@contextmanager
def served_database(folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment of servers with a fresh, migrated database."""
    with fresh_database(folder) as url:
        environment = served_by(url, folder)
        migrate(environment)
        yield environment


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


def migrate(environment: Mapping[str, str], *target: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", *target],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
    )


@contextmanager
def fresh_database(folder: Path) -> Iterator[str]:
    """The address of a new, empty database, of the kind that the tests run on."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'live.sqlite3'}"
        return
    name = f"parley_live_{secrets.token_hex(6)}"
    base = settings.DATABASES["default"]
    conninfo = psycopg.conninfo.make_conninfo(
        host=base["HOST"],
        port=base["PORT"] or None,
        user=base["USER"],
        password=base["PASSWORD"] or None,
        dbname="postgres",
    )
    with psycopg.connect(conninfo, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            authority = f"{base['USER']}:{base['PASSWORD']}@{base['HOST']}"
            yield f"postgres://{authority}:{base['PORT'] or 5432}/{name}"
        finally:
            server.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
