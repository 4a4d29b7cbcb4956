"""The four servers that are compared, with two processes each.

Each but `bare`, which reads nothing, has its own copy of one database.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.dataset import Filled

_ROOT: Final = Path(__file__).resolve().parent.parent
WORKERS: Final = 2
THREADS: Final = 4
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PATIENCE: Final = 60


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    base: str
    headers: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def cpu_seconds(self) -> float:
        return sum(_cpu_ticks(pid) for pid in self._pids()) / _TICKS

    def megabytes(self) -> float:
        """The memory of all its processes; shared pages are counted once."""
        return sum(_proportional_kilobytes(pid) for pid in self._pids()) / 1024

    def _pids(self) -> list[int]:
        return [self.process.pid, *_children(self.process.pid)]


@dataclass(frozen=True, slots=True)
class Database:
    """Parley's filled database, and the folder for copies of it."""

    url: str
    folder: Path
    filled: Filled
    # The checkout that made it.
    root: Path = _ROOT

    def copied(self, name: str) -> str:
        if self.url.startswith("sqlite"):
            target = self.folder / f"{name}.sqlite3"
            shutil.copyfile(self.url.removeprefix("sqlite:///"), target)
            return f"sqlite:///{target}"
        source = urlsplit(self.url)
        target_name = f"{source.path[1:]}_{name}"
        with psycopg.connect(_administered(self.url), autocommit=True) as server:
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(target_name), sql.Identifier(source.path[1:])
                )
            )
        return source._replace(path=f"/{target_name}").geturl()


@contextmanager
def filled_database(
    folder: Path, messages: int, database_url: str, root: Path = _ROOT
) -> Iterator[Database]:
    """Yield a new database with this many messages; drop it afterwards."""
    name = f"parley_bench_{secrets.token_hex(4)}"
    url = (
        urlsplit(database_url)._replace(path=f"/{name}").geturl()
        if database_url
        else f"sqlite:///{folder / 'ours.sqlite3'}"
    )
    with ExitStack() as stack:
        if database_url:
            _create(database_url, name)
            stack.callback(_drop, database_url, name)
        run_python(["manage.py", "migrate", "--verbosity", "0"], url, folder, root)
        printed = run_python(
            ["-m", "bench.dataset", "--messages", str(messages)], url, folder, root
        )
        if not database_url:
            _settle(folder / "ours.sqlite3")
        yield Database(url, folder, Filled(**json.loads(printed)), root)


def run_python(
    arguments: Sequence[str],
    url: str,
    folder: Path,
    root: Path = _ROOT,
    **environment: str,
) -> str:
    """Run a Python program of a checkout on a database; return its output."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root,
        env=_environment(url, folder, root) | environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


@contextmanager
def ours(database: Database, redis_url: str) -> Iterator[Server]:
    """Start Parley as scripts/serve does, but without limits on the requests of a user."""
    environment = {
        "REDIS_URL": redis_url,
        "PARLEY_LIMIT_READS": "999999999/1m",
        "PARLEY_LIMIT_WRITES": "999999999/1m",
        "PARLEY_LOG_LEVEL": os.environ.get("PARLEY_LOG_LEVEL", "INFO"),
        "PARLEY_LOG_FORMAT": "json",
        "PROMETHEUS_MULTIPROC_DIR": str(database.folder / "metrics"),
    }
    (database.folder / "metrics").mkdir(exist_ok=True)
    token = {"Authorization": f"Bearer {database.filled.reader}"}
    with _serving(
        "ours",
        _granian("config.asgi:application"),
        database,
        database.url,
        token,
        environment,
    ) as server:
        yield server


@contextmanager
def raw(database: Database) -> Iterator[Server]:
    token = {"Authorization": f"Bearer {database.filled.reader}"}
    with _bridged("raw", database, database.copied("raw"), token, {}) as server:
        yield server


@contextmanager
def bare(database: Database, answers: Mapping[str, str]) -> Iterator[Server]:
    """Start a server that returns `answers`: see bench/bare.py."""
    file = database.folder / "answers.json"
    file.write_text(json.dumps(answers))
    environment = {"BENCH_BARE": str(file)}
    # It reads no database, so that it needs no copy.
    with _bridged("bare", database, database.url, {}, environment) as server:
        yield server


@contextmanager
def drf(database: Database) -> Iterator[Server]:
    if database.url.startswith("sqlite"):
        url = f"sqlite:///{database.folder / 'drf.sqlite3'}"
        source = database.url.removeprefix("sqlite:///")
    else:
        url, source = database.copied("drf"), "public"
    printed = run_python(
        ["-m", "bench.drf.copy"], url, database.folder, BENCH_SOURCE=source
    )
    token = {"Authorization": f"Token {json.loads(printed)['reader']}"}
    command = [
        *(sys.executable, "-m", "gunicorn", "bench.drf.wsgi:application"),
        *("--workers", str(WORKERS), "--threads", str(THREADS), "--log-level", "error"),
    ]
    with _serving("DRF", command, database, url, token) as server:
        yield server


@contextmanager
def _bridged(
    name: str,
    database: Database,
    url: str,
    token: Mapping[str, str],
    environment: Mapping[str, str],
) -> Iterator[Server]:
    """Start a WSGI application of this package under the same server as Parley."""
    with _serving(
        name,
        _granian("bench.bridged:application"),
        database,
        url,
        token,
        {"BENCH_APPLICATION": f"bench.{name}.application", **environment},
    ) as server:
        yield server


def _granian(application: str) -> list[str]:
    """The command line of granian, with the options of scripts/serve."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "asgi"),
        *("--workers", str(WORKERS), "--log-level", "warning"),
        *("--backlog", "1024", "--backpressure", "11000", application),
    ]


@contextmanager
def _serving(
    name: str,
    command: Sequence[str],
    database: Database,
    url: str,
    token: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    port = free_port()
    place = (
        ["--bind", f"127.0.0.1:{port}"]
        if "gunicorn" in command
        else ["--port", str(port)]
    )
    with (database.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *place],
            cwd=database.root,
            env=_environment(url, database.folder, database.root)
            | dict(environment or {}),
            stdout=log,
            stderr=log,
        )
    base = f"http://127.0.0.1:{port}"
    try:
        if not _answers(base, process):
            sys.exit((database.folder / f"{name}.log").read_text())
        headers = {"Content-Type": "application/json", **token}
        yield Server(name, base, headers, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE)


def _environment(url: str, folder: Path, root: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": url,
        "PARLEY_DATA_DIR": str(folder),
        "PYTHONPATH": str(root),
    }


def _answers(base: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server responds, with any status; False if it ends or takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(base, timeout=_PATIENCE).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def _settle(database: Path) -> None:
    """Move the write-ahead log into the main file, so that a copy of that file is
    complete.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _create(url: str, name: str) -> None:
    with psycopg.connect(_administered(url), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _drop(url: str, name: str) -> None:
    """Drop the database and its copies."""
    with psycopg.connect(_administered(url), autocommit=True) as server:
        for suffix in ("_raw", "_drf", ""):
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                    sql.Identifier(name + suffix)
                )
            )


def _administered(url: str) -> str:
    return urlsplit(url)._replace(path="/postgres").geturl()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [
        descendant
        for child in map(int, found)
        for descendant in (child, *_children(child))
    ]


def _cpu_ticks(pid: int) -> int:
    # Fields after the process's name, which may contain spaces; the first one is the
    # state: see proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _proportional_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
