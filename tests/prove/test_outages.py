"""PostgreSQL and Redis that go away under load, and come back."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.contract.document import Operation, operations
from tests.databases import migrate
from tests.live_server import PASSWORD, LiveServer, served_by
from tests.prove.acknowledged_writes import check_account, check_database
from tests.prove.load import Load
from tests.prove.private_servers import PostgresServer, RedisServer
from tests.prove.server_state import problem_code

PROCESSES = 2

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="SQLite and no Redis run in the process"
    ),
]

sizes = pytest.mark.parametrize(
    ("rounds", "writes"),
    [
        pytest.param(1, 40, id="short"),
        pytest.param(6, 400, id="long", marks=pytest.mark.long),
    ],
)


@pytest.fixture
def server(
    postgres: PostgresServer, redis: RedisServer, tmp_path: Path
) -> Iterator[LiveServer]:
    with postgres.database() as url:
        environment = {
            **served_by(url, tmp_path),
            "REDIS_URL": redis.url,
            "PARLEY_RATE_LIMITS": "on",
        }
        migrate(environment)
        server = LiveServer.start(environment, processes=PROCESSES)
        try:
            yield server
        finally:
            server.stop()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@sizes
def test_a_restarted_postgresql_loses_no_acknowledged_write(
    server: LiveServer, postgres: PostgresServer, mode: str, rounds: int, writes: int
) -> None:
    load = Load.of(server, writers=2 * PROCESSES)
    with load.running():
        for _ in range(rounds):
            load.await_more(writes)
            with load.disturbed(), stopped(postgres, mode):
                load.await_setbacks()
        load.await_more(writes)
    assert {setback.code for setback in load.server_state.setbacks} == {
        "database_unavailable"
    }
    assert load.faults() == []
    check_account(load)
    check_database(load)
    postgres.check_files()


def test_without_a_database_every_operation_says_so(
    server: LiveServer, postgres: PostgresServer
) -> None:
    ann = server.client(0, server.register("ann"))
    with stopped(postgres):
        answers = {operation.id: _called(ann, operation) for operation in operations()}
        probes = [_probe(server, path) for path in ("healthz", "readyz", "metrics")]
        pages = [_probe(server, path) for path in ("sign-in", "admin/login/")]
    assert {
        operation: (answer.status_code, problem_code(answer))
        for operation, answer in answers.items()
    } == dict.fromkeys(answers, (503, "database_unavailable"))
    assert [probe.status_code for probe in probes] == [200, 503, 200]
    assert [page.status_code for page in pages] == [200, 200]
    assert ann.get("/me").status_code == HTTPStatus.OK
    assert _probe(server, "readyz").status_code == HTTPStatus.OK


def test_without_a_database_pages_say_that_it_is_away(
    server: LiveServer, postgres: PostgresServer
) -> None:
    cookie = {"Cookie": f"sessionid={secrets.token_hex(16)}"}
    with stopped(postgres):
        for path in ("account/delete", "admin/"):
            page = _probe(server, path, cookie)
            assert page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert _probe(server, "admin/", cookie).status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("frozen", [False, True])
@sizes
def test_without_redis_messages_go_on(
    server: LiveServer, redis: RedisServer, frozen: bool, rounds: int, writes: int
) -> None:
    # Whoever gives a password is refused, as is tested below.
    load = Load.of(server, writers=2 * PROCESSES, leavers=0)
    with load.running():
        for _ in range(rounds):
            load.await_more(writes)
            with without(redis, frozen=frozen):
                load.await_more(writes // 4)
                refused = _sign_in(server, load)
                assert problem_code(refused) == "limits_unavailable"
            # After the Retry-After.
            time.sleep(int(refused.headers["Retry-After"]))
            assert _sign_in(server, load).status_code == HTTPStatus.CREATED
        load.await_more(writes)
    assert load.server_state.setbacks == []
    check_account(load)
    check_database(load)


@contextmanager
def stopped(postgres: PostgresServer, mode: str = "fast") -> Iterator[None]:
    postgres.stop(mode)
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def without(redis: RedisServer, *, frozen: bool) -> Iterator[None]:
    lose, regain = (redis.freeze, redis.thaw) if frozen else (redis.stop, redis.start)
    lose()
    try:
        yield
    finally:
        regain()


def _called(client: httpx.Client, operation: Operation) -> httpx.Response:
    """With whatever passes for a body: nobody is known, so nothing else is looked at."""
    path = operation.path
    for parameter in operation.parameters("path"):
        path = path.replace(f"{{{parameter.name}}}", "1")
    body = {"username": "ann", "password": PASSWORD} if operation.public else {}
    return client.request(
        operation.method, path, json=body if operation.described.body else None
    )


def _probe(
    server: LiveServer, path: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    return httpx.get(f"{server.urls[0]}/{path}", headers=headers, timeout=60)


def _sign_in(server: LiveServer, load: Load) -> httpx.Response:
    username = load.bystander.person.username
    body = {"username": username, "password": PASSWORD}
    return server.client(1).post("/auth/tokens", json=body)
