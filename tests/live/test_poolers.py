"""PgBouncer between Parley and PostgreSQL: what is refused, and that the rest is right."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.conf import settings

from tests.databases import fresh_database, migrated_database
from tests.live.concurrent_calls import send, start_group
from tests.live.event_stream import open_stream
from tests.live.expected_events import type_and_sequence
from tests.live.vacuumed_tables import await_vacuumed
from tests.live_server import PASSWORD, served_by, serving
from tests.messaging.other_connection import only_postgres
from tests.poolers import TIMEOUTS, needs_pooler, pooler_before, role_of_pooler
from tests.programs import manage
from tests.refused_starts import refusal, worker

_CLIENTS: Final = 16
_TURNS: Final = 8
_WOKEN: Final = 20
# If nothing wakes a stream, it looks so often.
_LOOKS_SECONDS: Final = 1.0

pytestmark = [pytest.mark.django_db, only_postgres, needs_pooler]

Environment = Mapping[str, str]


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[str]:
    """A migrated database, as a role that has the timeouts."""
    with migrated_database(tmp_path) as url, role_of_pooler(url) as own:
        yield own


@pytest.fixture
def pooled(direct: str, tmp_path: Path) -> Iterator[str]:
    with pooler_before(direct, tmp_path) as url:
        yield url


def undeclared(url: str, folder: Path) -> Environment:
    """Of a server that hears of new events by nothing but the database."""
    return {**served_by(url, folder), "REDIS_URL": ""}


def declared(url: str, folder: Path, direct: str) -> Environment:
    return {
        **undeclared(url, folder),
        "PARLEY_DATABASE_POOLER": "on",
        "PARLEY_DIRECT_DATABASE_URL": direct,
    }


def with_redis(url: str, folder: Path, _direct: str) -> Environment:
    if not settings.PARLEY_REDIS_URL:
        pytest.skip("needs a Redis")
    # An empty address is none.
    return {**declared(url, folder, ""), "REDIS_URL": os.environ["REDIS_URL"]}


ways = pytest.mark.parametrize("way", [declared, with_redis])
Way = Callable[[str, Path, str], Environment]


# What is refused


@pytest.mark.parametrize(
    ("mode", "ignored"),
    [("transaction", ""), ("transaction", "options"), ("session", "options")],
)
def test_a_pooler_that_no_setting_tells_of_is_refused(
    direct: str, tmp_path: Path, mode: str, ignored: str
) -> None:
    with pooler_before(direct, tmp_path, mode=mode, ignored=ignored) as url:
        said = refusal(worker(undeclared(url, tmp_path)))
    assert "PARLEY_DATABASE_POOLER=on" in said


def test_a_pooler_of_statements_is_refused(direct: str, tmp_path: Path) -> None:
    with pooler_before(direct, tmp_path, mode="statement") as url:
        said = refusal(worker(declared(url, tmp_path, direct)))
    assert "its pool_mode has to be transaction" in said


def test_the_way_past_a_pooler_may_not_lead_through_one(
    direct: str, pooled: str, tmp_path: Path
) -> None:
    environment = declared(pooled, tmp_path, pooled)
    for process in (worker(environment), manage(environment, "create_invite")):
        said = refusal(process)
        assert said.startswith(
            "parley: PARLEY_DIRECT_DATABASE_URL: the database cannot"
        )


def test_the_way_past_a_pooler_leads_to_the_same_database(
    pooled: str, tmp_path: Path
) -> None:
    with migrated_database(tmp_path) as other:
        said = refusal(worker(declared(pooled, tmp_path, other)))
    assert "PARLEY_DIRECT_DATABASE_URL leads to another database" in said


@pytest.mark.parametrize("missing", [TIMEOUTS, TIMEOUTS[1:]])
def test_a_role_without_timeouts_is_refused_and_the_statement_that_is_named_mends_it(
    tmp_path: Path, missing: tuple[str, ...]
) -> None:
    kept = tuple({*TIMEOUTS} - {*missing})
    with (
        migrated_database(tmp_path) as url,
        role_of_pooler(url, timeouts=kept) as direct,
    ):
        with pooler_before(direct, tmp_path) as pooled:
            said = refusal(worker(declared(pooled, tmp_path, direct)))
        statements = re.findall(r"ALTER ROLE .*?;", said)
        assert len(statements) == len(missing)
        with psycopg.connect(url, autocommit=True) as server:
            for statement in statements:
                server.execute(statement)
        with (
            pooler_before(direct, tmp_path) as pooled,
            serving(declared(pooled, tmp_path, direct), processes=1),
        ):
            pass


# What works


@ways
def test_each_of_many_clients_gets_its_own_answers(
    way: Way, direct: str, pooled: str, tmp_path: Path
) -> None:
    """Through a pool of two connections, whose statements one may take for another's."""
    with serving(way(pooled, tmp_path, direct), processes=2) as server:
        partner = server.register("partner")

        def work(number: int) -> None:
            person = server.register(f"person-{number}")
            client = server.client(number % 2, person)
            conversation = start_group(client, partner)
            for turn in range(_TURNS):
                content = f"{person.username} says {turn}"
                message = send(client, conversation, content)
                assert client.get("/me").json()["username"] == person.username
                path = f"/messages/{message}"
                assert client.get(path).json()["content"] == content
                edited = client.patch(path, json={"content": f"{content}!"})
                assert edited.json()["content"] == f"{content}!"
            shown = client.get(f"/conversations/{conversation}/messages").json()
            assert sorted(each["content"] for each in shown["items"]) == sorted(
                f"{person.username} says {turn}!" for turn in range(_TURNS)
            )

        with ThreadPoolExecutor(_CLIENTS) as pool:
            list(pool.map(work, range(_CLIENTS)))


@ways
def test_events_wake_the_streams_of_other_processes(
    way: Way, direct: str, pooled: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(way(pooled, tmp_path, direct)))
        ann, bob = server.register("ann"), server.register("bob")
        writer, reader = server.client(0, ann), server.client(1, bob)
        conversation = start_group(writer, bob)
        received = stack.enter_context(open_stream(reader))
        assert next(received).type == "ready"
        waits = []
        for turn in range(_WOKEN):
            began = time.monotonic()
            send(writer, conversation, f"message {turn}")
            found = [type_and_sequence(next(received)) for _ in range(2)]
            assert {sequence for _, sequence in found} == {turn + 1}
            waits.append(time.monotonic() - began)
        # One is enough: the stream has just looked when a message is sent.
        assert min(waits[1:]) < _LOOKS_SECONDS / 2


@ways
def test_the_rows_of_a_deleted_account_are_vacuumed(
    way: Way, direct: str, pooled: str, tmp_path: Path
) -> None:
    with serving(way(pooled, tmp_path, direct), processes=2) as server:
        ann, bob = server.register("ann"), server.register("bob")
        own = server.client(1, ann)
        edited = send(own, start_group(own, bob), "before")
        own.patch(f"/messages/{edited}", json={"content": "after"}).raise_for_status()
        closed = own.request("DELETE", "/me", json={"password": PASSWORD})
        closed.raise_for_status()
        with psycopg.connect(direct, autocommit=True) as database:
            await_vacuumed(database)
        assert server.client(0, bob).get("/me").status_code == 200


def advisory_locks(url: str) -> int:
    held = (
        "SELECT FROM pg_locks JOIN pg_database ON database = pg_database.oid"
        " WHERE locktype = 'advisory' AND datname = current_database()"
    )
    with psycopg.connect(url) as database:
        return len(database.execute(held).fetchall())


@ways
def test_a_database_is_migrated_and_its_messages_are_exported(
    way: Way, tmp_path: Path
) -> None:
    with (
        fresh_database(tmp_path) as url,
        role_of_pooler(url) as direct,
        pooler_before(direct, tmp_path) as pooled,
    ):
        environment = way(pooled, tmp_path, direct)
        process = manage(environment, "migrate", "--verbosity", "0")
        assert (process.returncode, process.stderr) == (0, "")
        # One that stayed with the pooler would hold up whoever migrates next.
        assert advisory_locks(direct) == 0
        exported = manage(environment, "export_messages", str(tmp_path / "x.jsonl"))
        assert exported.returncode == 0, exported.stderr
