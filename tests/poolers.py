"""A PgBouncer of a test's own, in front of a database of the test's own."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.live_server import free_port

# Fewer than there are clients, so that they share.
_POOL_SIZE: Final = 2
_TIMEOUT: Final = 60
TIMEOUTS: Final = ("lock_timeout", "idle_in_transaction_session_timeout")
# Another one than the first in the path, to try its version.
_PROGRAM: Final = os.environ.get("PGBOUNCER", "pgbouncer")

needs_pooler = pytest.mark.skipif(
    shutil.which(_PROGRAM) is None and "CI" not in os.environ,
    reason="no pgbouncer to start",
)


@contextmanager
def role_of_pooler(url: str, *, timeouts: tuple[str, ...] = TIMEOUTS) -> Iterator[str]:
    """The address of the same database with a new role, which has these timeouts."""
    name, password = f"parley_pooled_{secrets.token_hex(6)}", secrets.token_hex(16)
    role = sql.Identifier(name)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as server:
        create = sql.SQL("CREATE ROLE {} LOGIN SUPERUSER PASSWORD {}")
        server.execute(create.format(role, sql.Literal(password)))
        try:
            for timeout in timeouts:
                set_timeout = sql.SQL("ALTER ROLE {} SET {} = '20s'")
                server.execute(set_timeout.format(role, sql.Identifier(timeout)))
            yield _replaced(url, f"{name}:{password}")
        finally:
            # What it made goes with the database, which is the test's own.
            with psycopg.connect(url, autocommit=True) as own:
                own.execute(sql.SQL("DROP OWNED BY {}").format(role))
            server.execute(sql.SQL("DROP ROLE {}").format(role))


@contextmanager
def pooler_before(
    url: str, folder: Path, *, mode: str = "transaction", ignored: str = ""
) -> Iterator[str]:
    """The address of the same database through a pooler, once that answers."""
    port = free_port()
    settings = folder / f"pgbouncer-{port}.ini"
    settings.write_text(_configuration(url, port, mode, ignored))
    # It refuses to run as root, and reads its file before it is somebody else.
    user = () if os.geteuid() else ("--user", "nobody")
    process = subprocess.Popen([_PROGRAM, "--quiet", *user, str(settings)])
    pooled = _replaced(url, "parley", f"127.0.0.1:{port}")
    try:
        _await_answer(pooled, process)
        yield pooled
    finally:
        process.terminate()
        process.wait(_TIMEOUT)


def _configuration(url: str, port: int, mode: str, ignored: str) -> str:
    parts = urlsplit(url)
    server = {
        "host": parts.hostname,
        "port": parts.port,
        "user": parts.username,
        "password": parts.password,
    }
    named = " ".join(f"{name}={value}" for name, value in server.items() if value)
    lines = [
        f"[databases]\n* = {named}\n[pgbouncer]",
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =",
        f"auth_type = any\npool_mode = {mode}\ndefault_pool_size = {_POOL_SIZE}",
        f"ignore_startup_parameters = {ignored}" if ignored else "",
    ]
    return "\n".join(lines)


def _replaced(url: str, user: str, host: str | None = None) -> str:
    parts = urlsplit(url)
    host = host or parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}@{host}").geturl()


def _await_answer(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
