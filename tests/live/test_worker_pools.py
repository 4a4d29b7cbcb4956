"""Writers queue for each other; reads, probes and streams do not wait for them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from itertools import count

import httpx
import pytest

from tests.live.concurrent_calls import start_group
from tests.live.event_stream import logged, open_stream, until
from tests.live.held_writers import hold_writers
from tests.live_server import PASSWORD, LiveServer, Person, served_database

# As many as one process takes, those in its threads included.
WAITING = 8
THREADS = 2
READY = 2
ACCEPTED = THREADS + READY + WAITING
# Nothing here waits for so long, unless it waits for the writers.
_TIMEOUT = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with served_database(tmp_path_factory.mktemp("worker-pools")) as environment:
        bounds = {
            "PARLEY_WRITE_THREADS": str(THREADS),
            "PARLEY_MAX_WAITING": str(WAITING),
            "PARLEY_RATE_LIMITS": "on",
            "PARLEY_LIMIT_BAD_TOKENS": "1000/1000d",
        }
        server = LiveServer.start({**environment, **bounds}, processes=1)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4 * ACCEPTED) as threads:
        yield threads


class Crowd:
    """Users who write to one group at the same time."""

    def __init__(self, server: LiveServer, pool: ThreadPoolExecutor) -> None:
        self.server = server
        self._pool = pool
        self.people = [server.register("ann"), server.register("bob")]
        owner = server.client(0, self.people[0])
        self.conversation = start_group(owner, self.people[1])
        self._numbers = count()

    def write(self, number: int, person: int = 0) -> list[Future[httpx.Response]]:
        client = self.server.client(0, self.people[person])
        path = f"/conversations/{self.conversation}/messages"
        return [
            self._pool.submit(
                client.post, path, json={"content": f"{next(self._numbers)}"}
            )
            for _ in range(number)
        ]

    def said(self) -> list[str]:
        reader = self.server.client(0, self.people[0])
        path = f"/conversations/{self.conversation}/messages"
        page = reader.get(path, params={"limit": 200}).raise_for_status()
        return [message["content"] for message in page.json()["items"]]


@pytest.fixture
def crowd(server: LiveServer, pool: ThreadPoolExecutor) -> Crowd:
    return Crowd(server, pool)


def refused_among(asked: list[Future[httpx.Response]]) -> list[httpx.Response]:
    """Answers that have come although nobody can write, once there are any."""
    while not (done := [one.result() for one in asked if one.done()]):
        assert not all(one.done() for one in asked)
    return done


def statuses(asked: list[Future[httpx.Response]]) -> Counter[int]:
    return Counter(one.result(_TIMEOUT).status_code for one in asked)


@pytest.fixture
def writers(server: LiveServer, crowd: Crowd) -> Iterator[list[Future[httpx.Response]]]:
    """As many as wait at once, while nobody can write."""
    with hold_writers(server.environment):
        # Beyond what one of them may have, so that all that can wait does.
        waiting = crowd.write(ACCEPTED)
        refused_among(waiting)
        yield waiting


def test_reads_go_on_while_writers_wait(
    db: None, server: LiveServer, crowd: Crowd, writers: list[Future[httpx.Response]]
) -> None:
    reader = server.client(0, crowd.people[1])
    for path in ("/me", "/conversations", "/inbox", "/inbox/summary", "/users?query=a"):
        assert reader.get(path).status_code == HTTPStatus.OK
    page = f"/conversations/{crowd.conversation}/messages"
    assert reader.get(page).status_code == HTTPStatus.OK
    assert any(not writer.done() for writer in writers)


def test_an_export_does_not_wait_behind_writers(
    db: None, server: LiveServer, crowd: Crowd, writers: list[Future[httpx.Response]]
) -> None:
    answer = server.client(0, crowd.people[1]).get("/me/export")
    if server.environment["DATABASE_URL"].startswith("sqlite"):
        # Beginning one is a short write, which needs the write lock.
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.json()["code"] != "overloaded"
    else:
        assert b'"type":"end"' in answer.content
    assert any(not writer.done() for writer in writers)


def test_probes_and_files_are_answered_while_writers_wait(
    db: None, server: LiveServer, writers: list[Future[httpx.Response]]
) -> None:
    [url] = server.urls
    for path in ("/healthz", "/readyz", "/metrics", "/static/chats/parley.css"):
        assert httpx.get(f"{url}{path}").status_code == HTTPStatus.OK
    assert any(not writer.done() for writer in writers)


def test_bad_tokens_are_refused_while_writers_wait(
    db: None, server: LiveServer, writers: list[Future[httpx.Response]]
) -> None:
    bad = Person("nobody", "no token")
    client = server.client(0, bad)
    for _ in range(3 * THREADS):
        assert client.get("/me").status_code == HTTPStatus.UNAUTHORIZED
    assert any(not writer.done() for writer in writers)


def test_a_page_is_shown_while_writers_wait(
    db: None, server: LiveServer, crowd: Crowd
) -> None:
    browser = signed_in_browser(server, crowd.people[1])
    with hold_writers(server.environment):
        waiting = crowd.write(THREADS + READY)
        for path in (
            "/conversations",
            f"/conversations/{crowd.conversation}",
            "/inbox",
        ):
            page = browser.get(path)
            assert page.status_code == HTTPStatus.OK
            assert "sign-in" not in str(page.url)
        assert not any(writer.done() for writer in waiting)
    assert statuses(waiting) == {HTTPStatus.CREATED: len(waiting)}


def signed_in_browser(server: LiveServer, person: Person) -> httpx.Client:
    browser = httpx.Client(base_url=server.urls[0], timeout=_TIMEOUT)
    server.clients.append(browser)
    browser.get("/sign-in")
    form = {
        "username": person.username,
        "password": PASSWORD,
        "csrfmiddlewaretoken": browser.cookies["csrftoken"],
    }
    answer = browser.post("/sign-in", data=form)
    assert answer.status_code == HTTPStatus.FOUND
    return browser


def test_streams_go_on_while_writers_wait(
    db: None, server: LiveServer, crowd: Crowd
) -> None:
    reader = server.client(0, crowd.people[1])
    with open_stream(reader) as before:
        received = logged(before)
        assert next(received).type == "ready"
        with hold_writers(server.environment):
            waiting = crowd.write(1)
            with open_stream(server.client(0, crowd.people[0])) as meanwhile:
                assert next(logged(meanwhile)).type == "ready"
            assert not waiting[0].done()
        assert statuses(waiting) == {HTTPStatus.CREATED: 1}
        assert until(received, "message.created")


def test_beyond_the_bound_writes_are_refused_and_all_others_are_done(
    db: None, server: LiveServer, crowd: Crowd
) -> None:
    with hold_writers(server.environment):
        waiting = crowd.write(2 * ACCEPTED)
        refused = refused_among(waiting)
        for answer in refused:
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            assert answer.json()["code"] == "overloaded"
            assert int(answer.headers["Retry-After"]) >= 1
    done = statuses(waiting)
    assert set(done) == {HTTPStatus.CREATED, HTTPStatus.SERVICE_UNAVAILABLE}
    assert done[HTTPStatus.CREATED] >= THREADS + READY + WAITING // 2
    assert len(crowd.said()) == done[HTTPStatus.CREATED]


def test_a_page_beyond_the_bound_is_a_page(
    db: None, server: LiveServer, crowd: Crowd
) -> None:
    browser = signed_in_browser(server, crowd.people[1])
    token = browser.cookies["csrftoken"]
    with hold_writers(server.environment):
        waiting = crowd.write(2 * ACCEPTED) + crowd.write(2 * ACCEPTED, person=1)
        refused_among(waiting)
        answer = browser.post("/sign-out", data={"csrfmiddlewaretoken": token})
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "Content-Security-Policy" in answer.headers
        assert int(answer.headers["Retry-After"]) >= 1
    statuses(waiting)
