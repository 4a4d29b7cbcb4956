"""Nodes behind HAProxy or nginx, restarted one after another: no request fails."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count, islice
from pathlib import Path
from threading import Condition, Event
from uuid import uuid4

import httpx
import pytest

from tests.live.concurrent_calls import start_group
from tests.live.event_stream import ReceivedEvent, logged, open_stream
from tests.live.expected_events import expected_events, type_and_sequence
from tests.live_server import PASSWORD, LiveServer, Person, served_database, serving
from tests.prove.acknowledged_writes import walk
from tests.proxies import SETTINGS, Proxy, haproxy_before, needs, nginx_before

NODES = 2
_TIMEOUT = 60
_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LAST = "the last"
# Requests.
_BETWEEN = 200
_AT_ONCE = 8

StartProxy = Callable[[Sequence[str], Path], AbstractContextManager[Proxy]]

pytestmark = pytest.mark.django_db

proxies = pytest.mark.parametrize(
    "start_proxy",
    [
        pytest.param(haproxy_before, id="HAProxy", marks=needs("haproxy", "openssl")),
        pytest.param(nginx_before, id="nginx", marks=needs("nginx", "openssl")),
    ],
)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    with served_database(tmp_path) as made:
        yield {**made, **SETTINGS}


@dataclass(frozen=True, slots=True)
class Site:
    """Nodes, the proxy before them, and threads for those who use them."""

    nodes: LiveServer
    proxy: Proxy
    pool: ThreadPoolExecutor


@dataclass(slots=True)
class Traffic:
    """What people ask for through a proxy, each request once."""

    proxy: Proxy
    ending: Event = field(default_factory=Event)
    progress: Condition = field(default_factory=Condition)
    answered: int = 0
    failures: list[str] = field(default_factory=list)

    def client(self, person: Person) -> httpx.Client:
        client = self.proxy.client("/api/v1")
        client.headers.update(person.headers)
        return client

    def repeat(self, call: Callable[[int], httpx.Response]) -> None:
        """Make a call again and again until the end, the next after the answer."""
        for number in count():
            if self.ending.is_set():
                return
            with self.counted():
                call(number).raise_for_status()

    @contextmanager
    def counted(self) -> Iterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            self.failures.append(f"{type(error).__name__}: {error}")
        with self.progress:
            self.answered += 1
            self.progress.notify_all()

    def await_more(self, number: int) -> None:
        with self.progress:
            enough = self.answered + number
            assert self.progress.wait_for(lambda: self.answered >= enough, _TIMEOUT)


@dataclass(slots=True)
class Follower:
    """Somebody's event stream, resumed by its cursor wherever it ended."""

    client: httpx.Client
    traffic: Traffic
    opened: Event = field(default_factory=Event)
    streams: int = 0
    received: list[ReceivedEvent] = field(default_factory=list)

    def follow(self) -> None:
        """Until the last message, of which two events tell."""
        cursor = None
        while not self._is_over():
            with self.traffic.counted(), open_stream(self.client, cursor) as events:
                self.streams += 1
                for each in logged(events):
                    cursor = each.id or cursor
                    self._take(each)
                    if self._is_over():
                        return

    def _take(self, event: ReceivedEvent) -> None:
        if event.type == "ready":
            self.opened.set()
        elif event.type != "reconnect":
            self.received.append(event)

    def _is_over(self) -> bool:
        return bool(self.received) and (
            self.received[-1].type == "notification.created"
            and _LAST in str(self.received[-1].data)
        )


@proxies
@pytest.mark.parametrize(
    "rounds",
    [pytest.param(1, id="short"), pytest.param(10, id="long", marks=pytest.mark.long)],
)
def test_a_rolling_restart_fails_no_request(
    environment: Mapping[str, str],
    start_proxy: StartProxy,
    tmp_path: Path,
    rounds: int,
    record_property: Callable[[str, object], None],
) -> None:
    with _site(environment, start_proxy, tmp_path) as site, _busy(site) as traffic:
        for _ in range(rounds):
            for node in range(NODES):
                traffic.await_more(_BETWEEN)
                site.nodes.end(node)
                traffic.await_more(_BETWEEN)
                site.nodes.revive(node)
                site.proxy.await_nodes()
    record_property("requests", traffic.answered)


@needs("haproxy", "openssl")
def test_writes_without_keys_do_not_fail_if_a_node_is_taken_out_first(
    environment: Mapping[str, str], tmp_path: Path
) -> None:
    with (
        _site(environment, haproxy_before, tmp_path) as site,
        _busy(site, keyed=False) as traffic,
    ):
        for node in range(NODES):
            traffic.await_more(_BETWEEN)
            site.proxy.take_out(node)
            site.nodes.end(node)
            traffic.await_more(_BETWEEN)
            site.nodes.revive(node)
            site.proxy.put_back(node)
            site.proxy.await_nodes()


@proxies
def test_what_a_killed_node_did_not_answer_is_repeated_if_it_has_a_key(
    environment: Mapping[str, str], start_proxy: StartProxy, tmp_path: Path
) -> None:
    with _site(environment, start_proxy, tmp_path) as site:
        ann, bob = _register(site.proxy, "ann"), _register(site.proxy, "bob")
        writer = Traffic(site.proxy).client(ann)
        path = f"/conversations/{start_group(writer, bob)}/messages"
        site.nodes.freeze(0)
        keyless, keyed = (
            [site.pool.submit(_sent, writer, path, keyed=each) for _ in range(_AT_ONCE)]
            for each in (False, True)
        )
        # All that went to the other one: half of them, as they take turns.
        for _ in islice(as_completed([*keyless, *keyed], _TIMEOUT), _AT_ONCE):
            pass
        site.nodes.kill(0)
        assert all(each.result(_TIMEOUT) for each in keyed)
        assert not all(each.result(_TIMEOUT) for each in keyless)


@proxies
def test_limits_count_for_the_address_that_the_proxy_saw(
    environment: Mapping[str, str], start_proxy: StartProxy, tmp_path: Path
) -> None:
    limited = {
        **environment,
        "PARLEY_RATE_LIMITS": "on",
        "PARLEY_LIMIT_BAD_TOKENS": "3/15m",
    }
    with _site(limited, start_proxy, tmp_path) as site:
        one, other = (
            site.proxy.client("/api/v1", address=address)
            for address in ("127.0.0.2", "127.0.0.3")
        )
        statuses = [_guess(one, f"192.0.2.{number}") for number in range(4)]
        assert statuses == [
            *[HTTPStatus.UNAUTHORIZED] * 3,
            HTTPStatus.TOO_MANY_REQUESTS,
        ]
        assert _guess(other, "192.0.2.0") == HTTPStatus.UNAUTHORIZED


@contextmanager
def _site(
    environment: Mapping[str, str], start_proxy: StartProxy, folder: Path
) -> Iterator[Site]:
    with (
        # Its threads end when their clients are closed, with the proxy.
        ThreadPoolExecutor(2 * _AT_ONCE) as pool,
        serving(environment, NODES) as nodes,
        start_proxy(nodes.urls, folder) as proxy,
    ):
        yield Site(nodes, proxy, pool)


@contextmanager
def _busy(site: Site, *, keyed: bool = True) -> Iterator[Traffic]:
    """While the block runs people write and read, and none of their requests fails.

    What they sent is there, once, and somebody's stream told of it, once.
    """
    traffic = Traffic(site.proxy)
    ann, bob = _register(site.proxy, "ann"), _register(site.proxy, "bob")
    writer, reader = traffic.client(ann), traffic.client(bob)
    conversation = start_group(writer, bob)
    path = f"/conversations/{conversation}/messages"
    browser = _signed_in(site.proxy, bob)
    follower = Follower(traffic.client(bob), traffic)
    sent: list[str] = []

    def send(content: str) -> httpx.Response:
        headers = {"Idempotency-Key": uuid4().hex} if keyed else {}
        answer = writer.post(path, json={"content": content}, headers=headers)
        sent.append(content)
        return answer

    calls: list[Callable[[int], httpx.Response]] = [
        lambda number: send(f"one {number}"),
        lambda number: send(f"other {number}"),
        lambda _: reader.get(path),
        lambda _: reader.get("/inbox"),
        lambda _: reader.get("/events/poll", params={"timeout": 1}),
        lambda _: browser.get(f"/conversations/{conversation}"),
    ]
    followed = site.pool.submit(follower.follow)
    assert follower.opened.wait(_TIMEOUT)
    repeated = [site.pool.submit(traffic.repeat, call) for call in calls]
    try:
        yield traffic
    finally:
        traffic.ending.set()
    _await(repeated)
    assert traffic.failures == []
    send(_LAST).raise_for_status()
    _await([followed])
    assert traffic.failures == []
    assert follower.streams > 1
    messages = [str(item["content"]) for item in walk(reader, path)]
    assert sorted(messages) == sorted(sent)
    told = [type_and_sequence(event) for event in follower.received]
    assert told == expected_events(len(messages))


def _register(proxy: Proxy, username: str) -> Person:
    body = {"username": username, "password": PASSWORD}
    answer = proxy.client("/api/v1").post("/auth/register", json=body)
    return Person(username, answer.raise_for_status().json()["token"])


def _signed_in(proxy: Proxy, person: Person) -> httpx.Client:
    browser = proxy.client()
    token = _CSRF.search(browser.get("/sign-in").text)
    assert token
    form = {
        "csrfmiddlewaretoken": token[1],
        "username": person.username,
        "password": PASSWORD,
    }
    answer = browser.post("/sign-in", data=form, headers={"Origin": proxy.url})
    assert answer.is_redirect, answer.text
    return browser


def _await(futures: list[Future[None]]) -> None:
    for future in futures:
        future.result(_TIMEOUT)


def _sent(writer: httpx.Client, path: str, *, keyed: bool) -> bool:
    headers = {"Idempotency-Key": uuid4().hex} if keyed else {}
    try:
        answer = writer.post(path, json={"content": "hello"}, headers=headers)
    except httpx.RemoteProtocolError:
        return False
    return answer.status_code == HTTPStatus.CREATED


def _guess(client: httpx.Client, forged: str) -> int:
    """Try a token that opens nothing, and say that it comes from another address."""
    headers = {"Authorization": "Bearer wrong", "X-Forwarded-For": forged}
    return client.get("/me", headers=headers).status_code
