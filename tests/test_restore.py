"""`manage.py restore`: a backup in the database's place, while it is in use or not."""

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from django.conf import settings
from django.db import connection

from config.sqlite.write_queue import WriteLock
from messaging.services.restoring import restorable
from tests.live_server import LiveServer, served_by, served_database

TIMEOUT: Final = 300

pytestmark = [pytest.mark.django_db]


@dataclass(frozen=True, slots=True)
class Installation:
    environment: Mapping[str, str]
    folder: Path

    @property
    def database(self) -> Path:
        return Path(self.environment["DATABASE_URL"].removeprefix("sqlite:///"))

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )

    def done(self, *arguments: str) -> str:
        process = self.manage(*arguments)
        assert (process.returncode, process.stderr) == (0, "")
        return process.stdout

    def refused(self, *arguments: str) -> str:
        before = self.files()
        process = self.manage(*arguments)
        assert process.returncode != 0
        assert process.stdout == ""
        (line,) = process.stderr.splitlines()
        assert self.files() == before
        return line

    def add(self, username: str) -> None:
        self.done("create_user", username, "--no-password")

    def people(self) -> set[str]:
        with closing(sqlite3.connect(self.database)) as read:
            assert read.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return {
                name for (name,) in read.execute("SELECT username FROM messaging_user")
            }

    def formers(self) -> list[Path]:
        return [*self.folder.glob(f"{self.database.name}.before-*")]

    def files(self) -> set[str]:
        """But for those that stand beside a database that is open."""
        names = {path.name for path in self.folder.iterdir()}
        return {name for name in names if not name.endswith(("-wal", "-shm"))}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if connection.vendor != "sqlite":
        pytest.skip("a file is restored")
    folder = tmp_path_factory.mktemp("original")
    with served_database(folder) as environment:
        made = Installation(environment, folder)
        made.add("ada")
        made.done("backup", str(made.backup))
        made.add("grace")
        yield made


@pytest.fixture
def installation(original: Installation, tmp_path: Path) -> Installation:
    """With ada and grace in it, and a backup of the time when there was only ada."""
    shutil.copytree(original.folder, tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path / original.database.name}"
    return Installation(served_by(url, tmp_path), tmp_path)


def epoch(database: Path) -> str:
    with closing(sqlite3.connect(database)) as read:
        (found,) = read.execute("SELECT epoch FROM messaging_installation").fetchone()
        return str(found)


def test_what_was_backed_up_is_there_and_what_was_there_is_kept(
    installation: Installation,
) -> None:
    process = installation.done("restore", str(installation.backup), "--yes")
    assert installation.people() == {"ada"}
    (former,) = installation.formers()
    assert f"The former database is kept as {former}." in process
    assert "1 account, 0 conversations and 0 messages" in process
    assert "tokens that were revoked since are back" in process
    assert stat.S_IMODE(former.stat().st_mode) == 0o600
    assert stat.S_IMODE(installation.database.stat().st_mode) == 0o600
    assert epoch(installation.database) != epoch(installation.backup)
    assert installation.done("check_consistency")
    # And what was kept can be restored as well.
    installation.done("restore", str(former), "--yes", "--no-keep")
    assert installation.people() == {"ada", "grace"}
    assert installation.formers() == [former]


def test_nothing_but_the_two_databases_is_left(installation: Installation) -> None:
    before = installation.files()
    killed = f".{installation.database.name}.restoring-killed"
    (installation.folder / killed).touch()
    installation.done("restore", str(installation.backup), "--yes", "--no-keep")
    assert installation.files() == before


def test_an_older_backup_is_migrated(installation: Installation) -> None:
    older = installation.folder / "older"
    shutil.copy(installation.backup, older)
    url = {**installation.environment, "DATABASE_URL": f"sqlite:///{older}"}
    Installation(url, installation.folder).done(
        "migrate", "--verbosity", "0", "messaging", "0002"
    )
    installation.done("restore", str(older), "--yes")
    assert installation.people() == {"ada"}
    assert "No planned" in installation.done("migrate", "--plan")


def test_another_page_size_is_no_obstacle(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.backup)) as other:
        other.execute("PRAGMA page_size=8192")
        other.execute("VACUUM")
        assert other.execute("PRAGMA page_size").fetchone() == (8192,)
    installation.done("restore", str(installation.backup), "--yes")
    assert installation.people() == {"ada"}


def test_a_lost_database_is_restored(installation: Installation) -> None:
    for left in installation.folder.glob(f"{installation.database.name}*"):
        left.unlink()
    process = installation.done("restore", str(installation.backup), "--yes")
    assert "former" not in process
    assert installation.people() == {"ada"}
    assert stat.S_IMODE(installation.database.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["no database", "pages"])
def test_a_damaged_database_is_replaced_and_kept(
    installation: Installation, damage: str
) -> None:
    broken = b"\xff" * 8192
    if damage == "pages":
        whole = installation.database.read_bytes()
        broken = whole[:8192] + b"\xff" * (len(whole) - 8192)
    installation.database.write_bytes(broken)
    installation.done("restore", str(installation.backup), "--yes")
    assert installation.people() == {"ada"}
    (former,) = [one for one in installation.formers() if one.name[-1].isdigit()]
    assert former.read_bytes() == broken


# What is refused


def test_a_restore_asks_for_confirmation(installation: Installation) -> None:
    assert "--yes" in installation.refused("restore", str(installation.backup))
    assert installation.people() == {"ada", "grace"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "is no file"),
        (b"", "holds no database of Parley"),
        (b"Dear Grace, " * 1000, "file is not a database"),
    ],
)
def test_what_is_no_backup_is_refused(
    installation: Installation, content: bytes | None, reason: str
) -> None:
    other = installation.folder / "other"
    if content is not None:
        other.write_bytes(content)
    assert reason in installation.refused("restore", str(other), "--yes")
    assert installation.people() == {"ada", "grace"}


def test_a_database_of_something_else_is_refused(installation: Installation) -> None:
    other = installation.folder / "other"
    with closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE cookies (name TEXT)")
    assert "holds no database of Parley" in installation.refused(
        "restore", str(other), "--yes"
    )


def test_a_damaged_backup_is_refused(installation: Installation) -> None:
    whole = installation.backup.read_bytes()
    installation.backup.write_bytes(whole[: len(whole) // 2])
    line = installation.refused("restore", str(installation.backup), "--yes")
    assert "cannot be restored" in line
    assert installation.people() == {"ada", "grace"}


def test_a_backup_of_a_later_version_is_refused(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.backup)) as backup:
        backup.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('messaging', '9999_later', '2026-01-01')"
        )
        backup.commit()
    line = installation.refused("restore", str(installation.backup), "--yes")
    assert "later version" in line
    assert "messaging.9999_later" in line


def test_the_database_is_no_backup_of_itself(installation: Installation) -> None:
    link = installation.folder / "link"
    link.symlink_to(installation.database)
    for itself in (installation.database, link):
        line = installation.refused("restore", str(itself), "--yes")
        assert "is the database itself" in line


def test_a_restore_waits_for_the_write_lock(installation: Installation) -> None:
    write_lock = WriteLock(installation.database)
    write_lock.acquire(timeout=TIMEOUT)
    restoring = subprocess.Popen(
        [sys.executable, "manage.py", "restore", str(installation.backup), "--yes"],
        env=installation.environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
    )
    try:
        _await_queue(installation.database)
        assert installation.people() == {"ada", "grace"}
        assert restoring.poll() is None
    finally:
        write_lock.release()
        assert restoring.wait(TIMEOUT) == 0
    assert installation.people() == {"ada"}


_IN_A_HURRY: Final = """
import sys
import django
django.setup()
from django.db import connection
connection.settings_dict["OPTIONS"]["timeout"] = 0.2
from config.startup_checks import run_command
run_command(["manage.py", "restore", sys.argv[1], "--yes"])
"""


def test_a_restore_without_the_write_lock_reports_a_timeout(
    installation: Installation,
) -> None:
    write_lock = WriteLock(installation.database)
    write_lock.acquire(timeout=TIMEOUT)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _IN_A_HURRY, str(installation.backup)],
            env=installation.environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    finally:
        write_lock.release()
    assert ended.returncode != 0
    assert "Others wrote all the time; nothing was restored." in ended.stderr
    assert installation.people() == {"ada", "grace"}


def _await_queue(database: Path) -> None:
    """Until somebody waits at the head of the queue for the write lock."""
    waiter = threading.Event()
    deadline = TIMEOUT * 100
    for _ in range(deadline):
        second = WriteLock(database)
        try:
            os.close(second._lock("queue", 0, 0.001))
        except TimeoutError:
            return
        waiter.wait(0.01)
    raise AssertionError("nobody waits")


# Killed in the middle

_KILLED = """
import os, signal, sys
import django
django.setup()
from messaging.services import restoring
step, after = sys.argv[1:3]
done = getattr(restoring, step)
def killed(*arguments, **named):
    if after == "after":
        done(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(restoring, step, killed)
from config.startup_checks import run_command
run_command(["manage.py", "restore", sys.argv[3], "--yes"])
"""


@pytest.mark.parametrize(
    ("step", "when", "people"),
    [
        ("require_whole", "before", {"ada", "grace"}),
        ("renew_epoch", "after", {"ada", "grace"}),
        ("back_up_sqlite", "before", {"ada", "grace"}),
        ("back_up_sqlite", "after", {"ada", "grace"}),
        ("_overwrite", "after", {"ada"}),
        ("remove_abandoned", "after", {"ada"}),
    ],
)
def test_killed_at_any_step_one_of_the_two_is_there(
    installation: Installation, step: str, when: str, people: set[str]
) -> None:
    environment = {
        **installation.environment,
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, step, when, str(installation.backup)],
        env=environment,
        cwd=settings.BASE_DIR,
        timeout=TIMEOUT,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert installation.people() == people
    installation.done("restore", str(installation.backup), "--yes", "--no-keep")
    assert installation.people() == {"ada"}
    assert not [*installation.folder.glob(".*.restoring-*")]


_OVERWRITING = """
import sqlite3, sys
source = sqlite3.connect(sys.argv[1])
target = sqlite3.connect(sys.argv[2], isolation_level=None)
target.execute("PRAGMA cache_size=1")
def report(status, remaining, total):
    print(remaining, flush=True)
    input()
source.backup(target, pages=5, progress=report)
"""


def test_killed_while_pages_are_copied_the_former_database_is_whole(
    installation: Installation,
) -> None:
    """Here in steps, so that the kill meets the middle of the transaction."""
    copying = subprocess.Popen(
        [
            *(sys.executable, "-c", _OVERWRITING),
            *(str(installation.backup), str(installation.database)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert copying.stdin is not None
    assert copying.stdout is not None
    left = int(copying.stdout.readline())
    copying.stdin.write("\n")
    copying.stdin.flush()
    assert 0 < int(copying.stdout.readline()) < left
    copying.kill()
    copying.communicate(timeout=TIMEOUT)
    assert installation.people() == {"ada", "grace"}


# Several at once, and killed ones


@contextmanager
def asking(
    installation: Installation, *arguments: str
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A command that waits at its question, and the terminal that it waits at."""
    ours, terminal = os.openpty()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        env=installation.environment,
        cwd=settings.BASE_DIR,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        output = b""
        while b"[y/N]" not in output:
            output += os.read(ours, 4096)
        try:
            yield process, ours
        finally:
            process.kill()
            process.wait(TIMEOUT)
            os.close(ours)


def test_a_concurrent_restore_does_not_empty_the_database(
    installation: Installation,
) -> None:
    with asking(installation, "restore", str(installation.backup)) as (first, terminal):
        installation.done("restore", str(installation.backup), "--yes")
        installation.add("late")
        os.write(terminal, b"y\n")
        assert first.wait(TIMEOUT) == 0
    assert installation.people() == {"ada"}


def test_only_one_restores_at_a_time(installation: Installation) -> None:
    with restorable(backup=installation.backup, database=installation.database):
        refused = installation.refused("restore", str(installation.backup), "--yes")
    assert "Another restore, or a migration, is under way" in refused
    assert installation.people() == {"ada", "grace"}


_MEDDLING = """
import sys
from pathlib import Path
import django
django.setup()
from messaging.services import restoring
step = getattr(restoring, sys.argv[2])
def meddled(*arguments, **named):
    given = step(*arguments, **named)
    for temporary in Path(sys.argv[1]).glob(".*.restoring-*/*"):
        temporary.unlink() if sys.argv[2] == "_require_parley" else temporary.write_bytes(b"")
    return given
setattr(restoring, sys.argv[2], meddled)
from config.startup_checks import run_command
run_command(["manage.py", "restore", sys.argv[3], "--yes"])
"""


@pytest.mark.parametrize(
    ("step", "reason"),
    [("_require_parley", "unable to open"), ("_rows", "The copy was changed")],
)
def test_a_copy_that_somebody_took_away_is_not_put_in_place(
    installation: Installation, step: str, reason: str
) -> None:
    process = subprocess.run(
        [
            *(sys.executable, "-c", _MEDDLING, str(installation.folder), step),
            str(installation.backup),
        ],
        env={
            **installation.environment,
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert process.returncode == 1
    assert reason in process.stderr
    assert installation.people() == {"ada", "grace"}


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGHUP])
def test_a_restore_ended_at_its_question_leaves_no_copy(
    installation: Installation, kind: signal.Signals
) -> None:
    before = installation.files()
    with asking(installation, "restore", str(installation.backup)) as (process, _):
        process.send_signal(kind)
        assert process.wait(TIMEOUT) == -kind
    assert installation.files() == before


# While the server runs


@contextmanager
def serving(environment: Mapping[str, str], processes: int) -> Iterator[LiveServer]:
    server = LiveServer.start(environment, processes=processes)
    try:
        yield server
    finally:
        server.stop()


def test_a_running_server_goes_on_with_what_was_restored(
    installation: Installation,
) -> None:
    with serving(installation.environment, 2) as server:
        ann, bob = server.register("ann"), server.register("bob")
        first, second = server.client(0, ann), server.client(1, ann)
        sent = first.post(
            "/messages", json={"receiver": bob.username, "content": "kept"}
        )
        message = f"/messages/{sent.json()['id']}"
        page = f"/conversations/{sent.json()['conversation_id']}/messages"
        kept = installation.folder / "kept"
        installation.done("backup", str(kept))
        first.patch(message, json={"content": "lost"}).raise_for_status()
        late = server.register("late")
        lost = [client.get(page) for client in (first, second, first, second)]
        assert lost[-1].headers["X-Cache"] == "hit"
        assert lost[-1].json()["items"][0]["content"] == "lost"

        with _stream(server.urls[1], ann.token) as frames:
            assert next(frames)["type"] == "ready"
            process = installation.done("restore", str(kept), "--yes")
            assert "4 accounts, 1 conversation and 1 message," in process
            assert _next_of(frames, "reset")
            for client in (first, second):
                now = client.get(
                    page, headers={"If-None-Match": lost[-1].headers["ETag"]}
                )
                assert now.status_code == 200
                assert now.json()["items"][0]["content"] == "kept"
            assert server.client(0, late).get("/me").status_code == 401
            first.patch(message, json={"content": "anew"}).raise_for_status()
            assert _next_of(frames, "message.edited")
        assert second.get(page).json()["items"][0]["content"] == "anew"
    assert installation.done("check_consistency")


@contextmanager
def _stream(url: str, token: str) -> Iterator[Iterator[dict[str, object]]]:
    with httpx.stream(
        "GET",
        f"{url}/api/v1/events",
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT,
    ) as answer:
        yield (
            json.loads(line.removeprefix("data: "))
            for line in answer.iter_lines()
            if line.startswith("data: ")
        )


def _next_of(frames: Iterator[dict[str, object]], wanted: str) -> dict[str, object]:
    return next(frame for frame in frames if frame["type"] == wanted)


_HOLDING = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1])
held.execute("SELECT * FROM messaging_user").fetchall()
print("held", flush=True)
input()
"""


def test_a_damaged_database_in_use_is_not_taken_from_under_it(
    installation: Installation,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDING, str(installation.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        size = installation.database.stat().st_size
        with installation.database.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * (size - 8192))
        line = installation.refused("restore", str(installation.backup), "--yes")
        assert "stop the server first" in line
    finally:
        holder.kill()
        holder.communicate(timeout=TIMEOUT)


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_postgresql_has_its_own_way() -> None:
    process = subprocess.run(
        [sys.executable, "manage.py", "restore", "backup", "--yes"],
        env=os.environ,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode != 0
    assert "pg_restore" in process.stderr
