"""A standby takes over from PostgreSQL's primary, with the last transactions or without.

What was lost is given out again, for something else: ids, sequences, versions, positions.
"""

import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection

from tests.databases import migrate
from tests.live.concurrent_calls import send, start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream
from tests.live.expected_events import type_and_sequence
from tests.live_server import PASSWORD, LiveServer, Person, served_by, serving
from tests.prove.private_servers import (
    PostgresServer,
    RedisServer,
    private_postgres,
    private_standby,
)

PROCESSES = 2
KEPT = 3
# More than the 32 that PostgreSQL's log knows of a sequence in advance: ids come again too.
LOST = 40
_TRIES = 1200
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no standby"),
]


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its standby, which a role without any rights of its own uses."""

    primary: PostgresServer
    standby: PostgresServer

    def url(self, *, parameters: str = "") -> str:
        hosts = ",".join(
            f"127.0.0.1:{server.port}" for server in (self.primary, self.standby)
        )
        return f"postgres://parley@{hosts}/parley{parameters}"

    def catch_up(self) -> None:
        with _administering(self.primary) as primary:
            written = _value(primary, "SELECT pg_current_wal_lsn()")
        with _administering(self.standby) as standby:
            replayed = f"SELECT pg_last_wal_replay_lsn() >= '{written}'"
            _await(lambda: _value(standby, replayed) is True)

    def cut_off(self) -> None:
        """Let nothing more reach the standby."""
        with _administering(self.standby) as standby:
            standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
            standby.execute("SELECT pg_reload_conf()")
            receivers = "SELECT count(*) FROM pg_stat_wal_receiver"
            _await(lambda: _value(standby, receivers) == 0)


@pytest.fixture
def pair(programs: Path) -> Iterator[Pair]:
    with private_postgres(programs) as primary:
        with _administering(primary) as administrator:
            administrator.execute("CREATE ROLE parley LOGIN")
            administrator.execute("CREATE DATABASE parley OWNER parley")
        with private_standby(primary) as standby:
            yield Pair(primary, standby)


@pytest.fixture(params=["Redis", "no Redis"])
def environment(
    request: pytest.FixtureRequest, pair: Pair, redis: RedisServer, tmp_path: Path
) -> Mapping[str, str]:
    url = pair.url(parameters="?target_session_attrs=read-write")
    made = {
        **served_by(url, tmp_path),
        "REDIS_URL": redis.url if request.param == "Redis" else "",
    }
    migrate(made)
    return made


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody at one of the processes, by the API and by pages."""

    api: httpx.Client
    browser: httpx.Client
    conversation: int

    @property
    def path(self) -> str:
        return f"/conversations/{self.conversation}/messages?limit=200"

    def shown(self) -> str:
        """All that may show a message of the conversation, as text."""
        paths = (self.path, "/inbox?limit=200", "/conversations", "/notifications")
        pages = ("/", f"/conversations/{self.conversation}", "/inbox", "/catch-up")
        answers = [
            *(self.api.get(path) for path in paths),
            *(self.browser.get(page) for page in pages),
        ]
        return "".join(answer.raise_for_status().text for answer in answers)


def test_what_a_failover_lost_is_shown_nowhere(
    pair: Pair, environment: Mapping[str, str]
) -> None:
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        writer = server.client(0, ann)
        conversation = start_group(writer, bob)
        readers = [_reader(server, process, bob, conversation) for process in (0, 1)]
        _write(writer, conversation, "kept", KEPT)
        pair.catch_up()
        pair.cut_off()

        with _following(readers) as streams:
            lost = _write(writer, conversation, "lost", LOST)
            last = [_until(stream, KEPT + LOST)[-1] for stream in streams]
            for reader in readers:
                assert f"lost {LOST - 1}" in reader.shown()
                assert f"lost {LOST - 1}" in reader.shown()
            tags = [_page(reader).headers["ETag"] for reader in readers]

            pair.primary.stop("immediate")
            pair.standby.promote()
            others = [_retried(writer, conversation, "other 0")]
            others += _write(writer, conversation, "other", LOST - 1, first=1)
            assert set(lost) & set(others)

            for reader, tag in zip(readers, tags, strict=True):
                page = _page(reader, {"If-None-Match": tag})
                assert page.status_code == HTTPStatus.OK
                assert [item["content"] for item in page.json()["items"]] == [
                    *(f"other {number}" for number in reversed(range(LOST))),
                    *(f"kept {number}" for number in reversed(range(KEPT))),
                ]
                text = reader.shown()
                assert "lost" not in text
                assert f"other {LOST - 1}" in text
                _check_single_messages(reader, lost, others)

            cursor = str(last[0].id)
            for reader in readers:
                _check_resumed(reader, cursor)

            for stream in streams:
                assert next(stream).type == "reset"
            _write(writer, conversation, "new", 5)
            for stream, before in zip(streams, last, strict=True):
                received = _until(stream, KEPT + LOST + 5)
                _check_each_once(received, at_least=5)
                # The positions that were lost were given out again.
                assert received[-1].position == before.position + 2 * 5
        for reader in readers:
            assert "lost" not in reader.shown()


def test_a_switchover_loses_nothing(pair: Pair, environment: Mapping[str, str]) -> None:
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        writer = server.client(0, ann)
        conversation = start_group(writer, bob)
        readers = [_reader(server, process, bob, conversation) for process in (0, 1)]
        with _following(readers) as streams:
            _write(writer, conversation, "before", 5)
            for stream in streams:
                _check_each_once(_until(stream, 5), at_least=5)
            # The primary ends when its standby has everything.
            pair.primary.stop("fast")
            pair.standby.promote()
            _retried(writer, conversation, "after 0")
            for stream in streams:
                assert next(stream).type == "reset"
            _write(writer, conversation, "after", 4, first=1)
            for stream in streams:
                _check_each_once(_until(stream, 10), at_least=4)
        for reader in readers:
            contents = [item["content"] for item in _page(reader).json()["items"]]
            assert contents == [
                *(f"after {number}" for number in reversed(range(5))),
                *(f"before {number}" for number in reversed(range(5))),
            ]


def test_a_standby_is_answered_for_with_503(
    pair: Pair, tmp_path: Path, redis: RedisServer
) -> None:
    # Without `target_session_attrs`, connections are made to a standby too.
    environment = {**served_by(pair.url(), tmp_path), "REDIS_URL": redis.url}
    migrate(environment)
    with serving(environment) as server:
        ann, bob = server.register("ann"), server.register("bob")
        writer = server.client(0, ann)
        conversation = start_group(writer, bob)
        _write(writer, conversation, "before", 1)
        reader = _reader(server, 1, bob, conversation)
        pair.catch_up()
        pair.primary.stop("fast")
        body = {"content": "refused"}
        for path in (reader.path, "/conversations", "/events", "/events/poll"):
            answer = reader.api.get(path)
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, path
            assert answer.json()["code"] == "database_unavailable"
        refused = writer.post(f"/conversations/{conversation}/messages", json=body)
        assert refused.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        ready = httpx.get(f"{server.urls[0]}/readyz", timeout=60)
        assert ready.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        pair.standby.promote()
        _retried(writer, conversation, "after")
        contents = [item["content"] for item in _page(reader).json()["items"]]
        assert contents == ["after", "before 0"]


@contextmanager
def _administering(server: PostgresServer) -> Iterator[psycopg.Connection]:
    with psycopg.connect(server.url, autocommit=True) as administrator:
        yield administrator


def _value(database: psycopg.Connection, sql: str) -> object:
    ((value,),) = database.execute(sql.encode()).fetchall()
    return value


def _await(condition: Callable[[], bool]) -> None:
    for _ in range(_TRIES):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def _reader(
    server: LiveServer, process: int, person: Person, conversation: int
) -> Reader:
    browser = httpx.Client(
        base_url=server.urls[process], timeout=60, follow_redirects=True
    )
    server.clients.append(browser)
    token = _CSRF.search(browser.get("/sign-in").text)
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": person.username,
        "password": PASSWORD,
    }
    browser.post("/sign-in", data=form).raise_for_status()
    return Reader(server.client(process, person), browser, conversation)


def _write(
    writer: httpx.Client, conversation: int, word: str, number: int, *, first: int = 0
) -> list[int]:
    return [
        send(writer, conversation, f"{word} {each}")
        for each in range(first, first + number)
    ]


def _retried(writer: httpx.Client, conversation: int, content: str) -> int:
    """Send a message once the database is back."""
    sent: list[int] = []

    def is_sent() -> bool:
        path = f"/conversations/{conversation}/messages"
        answer = writer.post(path, json={"content": content})
        if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return False
        sent.append(answer.raise_for_status().json()["id"])
        return True

    _await(is_sent)
    return sent[0]


def _page(reader: Reader, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return reader.api.get(reader.path, headers=headers)


@contextmanager
def _following(
    readers: list[Reader],
) -> Iterator[list[Iterator[ReceivedEvent]]]:
    """Their streams, which are open."""
    streams = [_followed(reader.api) for reader in readers]
    try:
        for stream in streams:
            assert next(stream).type == "ready"
        yield [*streams]
    finally:
        for stream in streams:
            stream.close()


def _followed(client: httpx.Client) -> Generator[ReceivedEvent, None, None]:
    """The logged events, resumed where the stream was cut, as clients do it."""
    cursor = None
    for _ in range(_TRIES):
        with suppress(httpx.HTTPError), open_stream(client, cursor) as received:
            for each in logged(received):
                cursor = each.id or cursor
                yield each
    raise AssertionError("the stream was cut again and again")


def _until(stream: Iterator[ReceivedEvent], sequence: int) -> list[ReceivedEvent]:
    """All up to the last event of the message with this sequence."""
    found = []
    for each in stream:
        found.append(each)
        if type_and_sequence(each) == ("notification.created", sequence):
            return found
    raise AssertionError(f"the stream ended before {sequence}")


def _check_each_once(received: list[ReceivedEvent], *, at_least: int) -> None:
    told = [type_and_sequence(each) for each in received]
    for kind in ("message.created", "notification.created"):
        sequences = [sequence for each, sequence in told if each == kind]
        assert len(sequences) >= at_least
        assert all(later == one + 1 for one, later in pairwise(sequences))


def _check_single_messages(reader: Reader, lost: list[int], others: list[int]) -> None:
    for message in lost:
        answer = reader.api.get(f"/messages/{message}")
        if message in others:
            content = answer.raise_for_status().json()["content"]
            assert content == f"other {others.index(message)}"
        else:
            assert answer.status_code == HTTPStatus.NOT_FOUND


def _check_resumed(reader: Reader, cursor: str) -> None:
    with open_stream(reader.api, cursor) as received:
        assert next(logged(received)).type == "reset"
    poll = reader.api.get("/events/poll", params={"after": cursor}).raise_for_status()
    assert poll.json()["items"] == [{"type": "reset"}]
    again = {"after": poll.json()["next_cursor"], "timeout": 0}
    assert reader.api.get("/events/poll", params=again).json()["items"] == []
