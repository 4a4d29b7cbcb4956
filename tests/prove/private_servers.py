"""PostgreSQL and Redis of one's own, to be restarted, stopped and broken at will.

`python -m tests.prove.private_servers COMMAND …` runs a command with both of them.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from tests.interruption import take_sigterm_as_interrupt
from tests.live_server import free_port

_TIMEOUT = "60"
_PING_TRIES = 1200


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A cluster in a folder; whoever runs the tests, it does not run as root."""

    folder: Path
    programs: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")

    def copy(self, primary: "PostgresServer") -> None:
        """Become a standby of it, which follows it asynchronously once it is started."""
        self._run(
            *("pg_basebackup", f"--pgdata={self.folder / 'data'}", "--checkpoint=fast"),
            *("--write-recovery-conf", *primary._as_postgres),
        )

    def promote(self) -> None:
        """Make this standby a primary."""
        self._control("promote")

    def start(self) -> None:
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 "
            f"-c unix_socket_directories={self.folder}"
        )
        log = str(self.folder / "log")
        self._control("start", "--options", options, "--log", log)

    def stop(self, mode: str = "fast") -> None:
        """`fast` cuts off whoever is connected; `immediate` is a crash."""
        self._control("stop", "--mode", mode)

    @property
    def is_running(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists()

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a new, empty database."""
        name = f"parley_{secrets.token_hex(6)}"
        self._run("createdb", *self._as_postgres, name)
        try:
            yield f"{self.url.rpartition('/')[0]}/{name}"
        finally:
            self._run("dropdb", "--force", *self._as_postgres, name)

    def check_files(self) -> None:
        """Every table and index is readable, and they agree."""
        self._run(
            *("pg_amcheck", "--all", "--install-missing", "--heapallindexed"),
            *self._as_postgres,
        )

    @property
    def _as_postgres(self) -> tuple[str, ...]:
        return ("--host=127.0.0.1", f"--port={self.port}", "--username=postgres")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--wait", "--timeout", _TIMEOUT, "--silent", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            env={**os.environ, "PGDATA": str(self.folder / "data")},
            cwd=self.folder,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else (),
            check=True,
            stdout=subprocess.DEVNULL,
        )


@dataclass(slots=True)
class RedisServer:
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *("redis-server", "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--appendonly", "no"),
            ],
            stdout=subprocess.DEVNULL,
        )
        retry = Retry(ConstantBackoff(0.05), _PING_TRIES, (RedisConnectionError,))
        with Redis.from_url(self.url, retry=retry) as client:
            client.ping()

    def stop(self) -> None:
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        if self.process is not None:
            self.process.wait(float(_TIMEOUT))

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)


def postgres_programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are; Debian keeps them off the path."""
    if found := shutil.which("pg_ctl"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return versions[-1].parent if versions else None


@contextmanager
def private_postgres(programs: Path) -> Iterator[PostgresServer]:
    with _postgres_folder(programs) as server:
        server.create()
        with _running(server):
            yield server


@contextmanager
def private_standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    """A standby of this server, which may be promoted."""
    with _postgres_folder(primary.programs) as server:
        server.copy(primary)
        with _running(server):
            yield server


@contextmanager
def _postgres_folder(programs: Path) -> Iterator[PostgresServer]:
    # Below /tmp: sockets have short names, and another user gets there.
    with TemporaryDirectory(prefix="parley-pg-") as folder:
        user = _unprivileged_user()
        if user is not None:
            shutil.chown(folder, user)
        yield PostgresServer(Path(folder), programs, free_port(), user)


@contextmanager
def _running(server: PostgresServer) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        if server.is_running:
            server.stop("immediate")


@contextmanager
def private_redis() -> Iterator[RedisServer]:
    server = RedisServer(free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _unprivileged_user() -> str | None:
    """Whom root should be for PostgreSQL, which refuses root."""
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _environment(postgres: PostgresServer, redis: RedisServer) -> Mapping[str, str]:
    return {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url}


def main(command: list[str]) -> int:
    programs = postgres_programs()
    if programs is None or shutil.which("redis-server") is None:
        sys.stderr.write("PostgreSQL's and Redis's servers are not installed.\n")
        return 1
    take_sigterm_as_interrupt()
    with private_postgres(programs) as postgres, private_redis() as redis:
        # In a group of its own it hears of Ctrl+C from here, and once.
        process = subprocess.Popen(
            command, env=_environment(postgres, redis), process_group=0
        )
        try:
            return process.wait()
        except KeyboardInterrupt:
            # `subprocess.run` would kill it, with servers of its own to stop.
            process.terminate()
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
