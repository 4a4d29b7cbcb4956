"""What was deleted is gone from the bytes of every file, on whatever SQLite.

SQLite's builds differ in whether they overwrite what is deleted, so the tests run on as
many of them as are installed.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.db import connection

from tests.databases import migrate
from tests.live_server import PASSWORD, LiveServer, Person, served_by, serving

# What README.md and the pages promise of a busy server, as the machine may be.
PROMISED_SECONDS: Final = 60

_BUILDS: Final = ("sqlite3", "pysqlite3", "sqlean")
_SECRET: Final = "zeppelin-{}-over-lakehurst"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's files"),
]


@pytest.fixture(params=_BUILDS)
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """Of servers upon one of the builds, with a migrated database."""
    if find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    environment = {
        **served_by(f"sqlite:///{tmp_path / 'live.sqlite3'}", tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.other_sqlite",
        "PARLEY_TEST_SQLITE": request.param,
    }
    migrate(environment)
    return environment


def manage(environment: Mapping[str, str], *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        env=environment,
        cwd=settings.BASE_DIR,
        check=True,
    )


def where(folder: Path, *secrets: str) -> list[str]:
    """The files that hold any of these."""
    return sorted(
        file.name
        for file in folder.rglob("*")
        if file.is_file() and any(s.encode() in file.read_bytes() for s in secrets)
    )


def await_gone(folder: Path, *secrets: str) -> None:
    deadline = time.monotonic() + PROMISED_SECONDS
    while (left := where(folder, *secrets)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def send(server: LiveServer, sender: Person, receiver: Person, content: str) -> str:
    """The message's path."""
    api = server.client(0, sender)
    sent = api.post(
        "/messages", json={"receiver": receiver.username, "content": content}
    )
    return f"/messages/{sent.raise_for_status().json()['id']}"


def live_busily(server: LiveServer, person: Person, other: Person) -> None:
    """Leave something of a person wherever something can be left."""
    api, others = server.client(0, person), server.client(1, other)
    api.patch("/me", json={"display_name": "zeppelin"}).raise_for_status()
    signed_in = {"username": person.username, "password": PASSWORD, "name": "zeppelin"}
    api.post("/auth/tokens", json=signed_in).raise_for_status()
    for number in range(30):
        send(server, person, other, _SECRET.format(number) * (number + 1))
        send(server, other, person, f"@{person.username} {_SECRET.format(number)}")
    group = {"kind": "group", "title": "Team", "participants": [other.username]}
    path = f"/conversations/{api.post('/conversations', json=group).json()['id']}"
    sent = api.post(
        f"{path}/messages",
        json={"content": _SECRET},
        headers={"Idempotency-Key": "zeppelin"},
    ).raise_for_status()
    reply = {"content": "Oh?", "parent_message_id": sent.json()["id"]}
    others.post(f"{path}/messages", json=reply).raise_for_status()
    edited = {"content": _SECRET.format("edited")}
    api.patch(f"/messages/{sent.json()['id']}", json=edited).raise_for_status()
    others.put(f"/blocks/{person.username}").raise_for_status()
    for reading in ("/me/export", f"{path}/messages", "/inbox", "/users?query=ann"):
        others.get(reading).raise_for_status()


def close_account(server: LiveServer, person: Person) -> None:
    api = server.client(0, person)
    api.request("DELETE", "/me", json={"password": PASSWORD}).raise_for_status()


def test_a_deleted_message_is_gone_from_a_quiet_server(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    short, long = _SECRET.format(1), _SECRET.format(2) * 150
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        messages = [send(server, ann, bob, content) for content in (short, long)]
        assert where(tmp_path, short, _SECRET.format(2))
        for message in messages:
            server.client(1, ann).delete(message).raise_for_status()
        await_gone(tmp_path, short, _SECRET.format(2))


def test_what_edits_replaced_goes_with_the_message(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    versions = [_SECRET.format(number) for number in range(5)]
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        message = send(server, ann, bob, versions[0])
        api = server.client(1, ann)
        for version in versions[1:]:
            api.patch(message, json={"content": version * 9}).raise_for_status()
        api.delete(message).raise_for_status()
        await_gone(tmp_path, *versions)


def test_a_deleted_account_is_gone(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        live_busily(server, ann, bob)
        assert where(tmp_path, "zeppelin")
        close_account(server, ann)
        await_gone(tmp_path, ann.username, "zeppelin", ann.token)


def test_nothing_is_left_by_a_server_that_was_stopped_at_once(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        message = send(server, ann, bob, _SECRET)
        server.client(0, ann).delete(message).raise_for_status()
    assert where(tmp_path, _SECRET) == []


def test_another_process_clears_up_after_one_that_was_killed(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        message = send(server, ann, bob, _SECRET)
        server.client(0, ann).delete(message).raise_for_status()
        server.kill(0)
        await_gone(tmp_path, _SECRET)


def test_the_next_start_clears_up_after_all_were_killed(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with serving(environment, processes=1) as server:
        ann, bob = server.register("ann"), server.register("bob")
        message = send(server, ann, bob, _SECRET)
        server.client(0, ann).delete(message).raise_for_status()
        server.kill(0)
        server.revive(0)
        await_gone(tmp_path, _SECRET)


def test_a_command_leaves_nothing_in_the_log(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with serving(environment, processes=1) as server:
        ann = server.register("ann")
    manage(
        environment,
        "shell",
        "--command",
        f"User.objects.get(username='{ann.username}').delete()",
    )
    assert where(tmp_path, ann.username) == []


def test_what_an_older_version_left_is_scrubbed(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    """While a server runs, and reads."""
    database = tmp_path / "live.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as careless:
        careless.execute("PRAGMA secure_delete=OFF")
        careless.execute(
            "INSERT INTO django_session VALUES (?, ?, ?)",
            ["key", _SECRET, "2026-01-01"],
        )
        careless.execute("DELETE FROM django_session")
    assert where(tmp_path, _SECRET)
    with serving(environment, processes=1) as server:
        server.register("ann")
        manage(environment, "scrub")
        await_gone(tmp_path, _SECRET)
