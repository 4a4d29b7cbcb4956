"""Whatever is made holds people's data or a key, and is for its owner alone."""

import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.conf import settings

from tests.databases import fresh_database
from tests.live_server import LiveServer, served_by
from tests.programs import manage

TIMEOUT = 300
OPEN = 0o022


def made(environment: Mapping[str, str], *command: str) -> None:
    """By somebody whose files are everybody's to read, unless a program says else."""
    subprocess.run(
        [sys.executable, *command],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
        umask=OPEN,
        timeout=TIMEOUT,
        check=True,
    )


def open_to_others(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): stat.filemode(path.stat().st_mode)
        for path in folder.rglob("*")
        if path.stat().st_mode & 0o077
    }


def test_no_command_makes_a_file_that_others_read(
    plain: dict[str, str], tmp_path: Path
) -> None:
    data = Path(plain["PARLEY_DATA_DIR"])
    made(plain, "manage.py", "migrate", "--verbosity", "0")
    made(plain, "manage.py", "seed_demo")
    made(plain, "manage.py", "backup", str(tmp_path / "backup"))
    made(plain, "manage.py", "restore", str(tmp_path / "backup"), "--yes")
    made(plain, "manage.py", "export_messages", str(tmp_path / "export.jsonl"))
    made(plain, "manage.py", "export_messages", str(tmp_path / "export.jsonl.gz"))
    assert open_to_others(tmp_path) == {}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    names = {path.name for path in data.iterdir()}
    assert names >= {"parley.sqlite3", "parley.sqlite3-turn", "secret-key"}


@pytest.mark.parametrize("key", [False, True])
def test_neither_does_django_without_our_command(
    plain: dict[str, str], tmp_path: Path, key: bool
) -> None:
    environment = {**plain, "DJANGO_SETTINGS_MODULE": "config.settings"}
    if key:
        environment["PARLEY_SECRET_KEY"] = "0123456789abcdef" * 4
    made(environment, "-m", "django", "migrate", "--verbosity", "0")
    assert open_to_others(tmp_path) == {}


def test_while_somebody_is_connected_nothing_is_open_to_others(
    plain: dict[str, str], tmp_path: Path
) -> None:
    made(plain, "manage.py", "migrate", "--verbosity", "0")
    looking = (
        "from messaging.models import User; from django.conf import settings\n"
        "User.objects.create_user('ada')\n"
        "import pathlib\n"
        "for path in pathlib.Path(settings.DATA_DIR).iterdir():\n"
        "    assert not path.stat().st_mode & 0o077, path\n"
        "    print(path.name)\n"
    )
    process = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", looking],
        env=plain,
        cwd=settings.BASE_DIR,
        umask=OPEN,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=True,
    )
    assert {"parley.sqlite3-wal", "parley.sqlite3-shm"} <= set(process.stdout.split())


@pytest.mark.django_db
def test_what_a_server_counts_is_nobody_elses(tmp_path: Path) -> None:
    counted = tmp_path / "counted"
    counted.mkdir(mode=0o700)
    with fresh_database(tmp_path) as url:
        environment = {
            **served_by(url, tmp_path),
            "PROMETHEUS_MULTIPROC_DIR": str(counted),
        }
        made(environment, "manage.py", "migrate", "--verbosity", "0")
        before = os.umask(OPEN)
        try:
            server = LiveServer.start(environment, processes=1)
        finally:
            os.umask(before)
        try:
            server.register("ada")
            assert [*counted.iterdir()]
            assert open_to_others(tmp_path) == {}
        finally:
            server.stop()


def test_readable_files_are_made_private_and_reported_once(
    plain: dict[str, str],
) -> None:
    made(plain, "manage.py", "migrate", "--verbosity", "0")
    data = Path(plain["PARLEY_DATA_DIR"])
    (data / "demo-password").write_text("x")
    opened = {data / name for name in ("parley.sqlite3", "secret-key", "demo-password")}
    for path in opened:
        path.chmod(0o644)
    process = manage(plain, "create_user", "ada", "--no-password")
    assert process.returncode == 0
    lines = process.stderr.splitlines()
    assert {line.split()[2] for line in lines} == {str(path) for path in opened}
    assert all("could be read by everybody" in line for line in lines)
    assert open_to_others(data) == {}
    assert manage(plain, "create_user", "bob", "--no-password").stderr == ""


def test_what_is_shared_with_a_group_stays_so(plain: dict[str, str]) -> None:
    made(plain, "manage.py", "migrate", "--verbosity", "0")
    database = Path(plain["PARLEY_DATA_DIR"]) / "parley.sqlite3"
    database.chmod(0o660)
    assert manage(plain, "create_user", "ada", "--no-password").stderr == ""
    assert stat.S_IMODE(database.stat().st_mode) == 0o660


def test_a_link_to_somebody_elses_file_changes_nothing_there(
    plain: dict[str, str], tmp_path: Path
) -> None:
    made(plain, "manage.py", "migrate", "--verbosity", "0")
    other = tmp_path / "other"
    other.write_text("x")
    other.chmod(0o644)
    (Path(plain["PARLEY_DATA_DIR"]) / "demo-password").symlink_to(other)
    manage(plain, "create_user", "ada", "--no-password")
    assert stat.S_IMODE(other.stat().st_mode) == 0o644
