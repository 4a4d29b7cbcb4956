"""Backup and restore as an operator does it, and what is served afterwards."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from messaging.errors import BackupError
from messaging.models import Installation
from messaging.services.backups import back_up_sqlite
from tests.live_server import LiveServer, served_database
from tests.rows import overwrite


@dataclass(slots=True)
class Operator:
    """Does with an installation what README.md says."""

    environment: Mapping[str, str]
    folder: Path

    def manage(self, *arguments: str) -> None:
        self.run(sys.executable, "manage.py", *arguments)

    def run(self, *command: str) -> None:
        subprocess.run(
            command,
            env=self.environment,
            cwd=settings.BASE_DIR,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def back_up(self) -> None:
        if connection.vendor == "sqlite":
            self.manage("backup", str(self.folder / "parley.backup"))
            return
        dump = str(self.folder / "parley.dump")
        self.run("pg_dump", "--format=custom", f"--file={dump}", self.url)

    def restore(self) -> None:
        if connection.vendor == "sqlite":
            self.manage("restore", str(self.folder / "parley.backup"), "--yes")
            return
        dump = str(self.folder / "parley.dump")
        empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        self.run("psql", "--quiet", self.url, f"--command={empty}")
        self.run(
            *("pg_restore", "--single-transaction", "--no-owner"),
            *(f"--dbname={self.url}", dump),
        )

    @contextmanager
    def serving(self) -> Iterator[LiveServer]:
        server = LiveServer.start(self.environment, processes=1)
        try:
            yield server
        finally:
            server.stop()

    @property
    def url(self) -> str:
        return self.environment["DATABASE_URL"]


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with served_database(tmp_path) as environment:
        yield Operator(environment, tmp_path)


@pytest.mark.django_db
@pytest.mark.slow
def test_nothing_cached_before_a_restore_is_served_after_it(operator: Operator) -> None:
    """The page's version is given out again, for another content."""
    with operator.serving() as server:
        ann, bob = server.register("ann"), server.register("bob")
        api = server.client(0, ann)
        sent = api.post("/messages", json={"receiver": bob.username, "content": "kept"})
        message = f"/messages/{sent.json()['id']}"
        page = f"/conversations/{sent.json()['conversation_id']}/messages"
        operator.back_up()
        api.patch(message, json={"content": "lost"}).raise_for_status()
        lost = api.get(page).raise_for_status()
        assert lost.json()["items"][0]["content"] == "lost"
        assert api.get(page).headers["X-Cache"] == "hit"

    operator.restore()
    operator.manage("renew_epoch")
    operator.manage("check_consistency")

    with operator.serving() as server:
        api = server.client(0, ann)
        assert api.get(page).json()["items"][0]["content"] == "kept"
        api.patch(message, json={"content": "anew"}).raise_for_status()
        now = api.get(page, headers={"If-None-Match": lost.headers["ETag"]})
        assert now.status_code == 200
        assert now.json()["items"][0]["content"] == "anew"
        assert now.headers["X-Cache"] == "miss"


def test_renewing_the_epoch_keeps_the_clock(db: None) -> None:
    overwrite(Installation.objects.all(), clock=7)
    before = Installation.objects.get()
    call_command("renew_epoch", verbosity=0)
    after = Installation.objects.get()
    assert after.clock == 7
    assert after.epoch != before.epoch


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "database.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE clock AS SELECT 5 AS reading")
        made.commit()
    return path


def test_a_backup_while_somebody_writes_holds_what_is_committed(
    database: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE clock SET reading = 6")
        size = back_up_sqlite(database=database, into=copy)
        writer.execute("COMMIT")
    assert size == copy.stat().st_size
    with closing(sqlite3.connect(copy)) as backup:
        assert backup.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert backup.execute("SELECT reading FROM clock").fetchall() == [(5,)]


def test_a_backup_is_for_its_owner_alone(database: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    back_up_sqlite(database=database, into=copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_backup_of_a_damaged_database_fails(database: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(database)) as filled:
        filled.execute("CREATE TABLE text AS SELECT randomblob(100000) AS words")
        filled.execute("CREATE INDEX sought ON clock (reading)")
        filled.commit()
        filled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    files = set(tmp_path.iterdir())
    with pytest.raises(BackupError):
        back_up_sqlite(database=database, into=tmp_path / "copy")
    assert {path.name for path in set(tmp_path.iterdir()) - files} <= {
        f"{database.name}-wal",
        f"{database.name}-shm",
    }


def test_a_backup_overwrites_nothing(database: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("precious")
    files = set(tmp_path.iterdir())
    with pytest.raises(BackupError, match="exists"):
        back_up_sqlite(database=database, into=kept)
    assert kept.read_text() == "precious"
    assert set(tmp_path.iterdir()) == files


def test_a_backup_without_a_database_creates_no_file(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="unable to open"):
        back_up_sqlite(database=tmp_path / "missing", into=tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_the_command_says_why_it_wrote_nothing(tmp_path: Path) -> None:
    """The tests' own database is no file, or not of SQLite."""
    with pytest.raises(CommandError):
        call_command("backup", str(tmp_path / "no folder" / "copy"))
    assert list(tmp_path.iterdir()) == []
