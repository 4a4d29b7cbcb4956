"""Temporary files: whole copies of what people wrote, which no process leaves behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import connection

from messaging.temporary_files import (
    remove_abandoned,
    temporary_file_beside,
    temporary_files_beside,
)
from tests.live_server import served_database

TIMEOUT: Final = 300

# Says when the temporary file is there, and goes on when a line comes in.
_STOPPED: Final = """
import sys
import django
django.setup()
from messaging.services import backups
from messaging.management.commands import export_messages
def stopped(*arguments, **named):
    print("written", flush=True)
    sys.stdin.readline()
backups.require_whole = export_messages.export_messages = stopped
from config.startup_checks import run_command
run_command(["manage.py", *sys.argv[1:]])
"""


def stopped(folder: Path, *arguments: str, end: signal.Signals) -> int:
    """End a command while it has a temporary file; its status."""
    with (
        served_database(folder) as environment,
        subprocess.Popen(
            [sys.executable, "-c", _STOPPED, *arguments],
            env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        assert temporary_files_beside(Path(arguments[1]))
        process.send_signal(end)
        return process.wait(TIMEOUT)


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["backup", "export_messages"])
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_command_that_is_ended_leaves_no_copy(
    tmp_path: Path, command: str, end: signal.Signals
) -> None:
    if connection.vendor != "sqlite" and command == "backup":
        pytest.skip("PostgreSQL has its own")
    target = tmp_path / "target"
    status = stopped(tmp_path, command, str(target), end=end)
    if end == signal.SIGKILL:
        assert len(temporary_files_beside(target)) == 1
        remove_abandoned(target)
    else:
        assert status == 128 + end
    assert temporary_files_beside(target) == []
    assert not target.exists()


def test_a_draft_in_use_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with temporary_file_beside(target) as temporary:
        temporary.write_text("half")
        with temporary_file_beside(target) as other:
            assert other != temporary
        remove_abandoned(target)
        assert temporary.read_text() == "half"
        assert temporary.parent.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_draft_of_the_file_is_left_alone(tmp_path: Path) -> None:
    others = {
        tmp_path / name
        for name in ("target", ".target", ".target.bak", f".other.{0:016x}", "a.target")
    }
    for other in others:
        other.touch()
    left = tmp_path / f".target.{0:016x}"
    (tmp_path / f".target.{1:016x}").symlink_to(tmp_path / "target")
    left.touch()
    (tmp_path / f".target.{0:016x}-journal").touch()
    remove_abandoned(tmp_path / "target")
    assert {path for path in tmp_path.iterdir() if not path.is_symlink()} == others


@pytest.mark.django_db
def test_a_scrub_removes_drafts_and_names_former_databases(tmp_path: Path) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("files of SQLite")
    with served_database(tmp_path) as environment:
        database = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
        former = database.with_name(f"{database.name}.before-20260101-000000")
        former.touch()
        for kind in ("restoring-", ""):
            left = database.with_name(f".{database.name}.{kind}{os.urandom(8).hex()}")
            left.mkdir()
            (left / database.name).touch()
        process = subprocess.run(
            [sys.executable, "manage.py", "scrub"],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=True,
        ).stdout
    assert f"{former} still holds" in process
    assert temporary_files_beside(database) == []
