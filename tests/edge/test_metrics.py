"""Metrics: what is counted, over all processes, and that nobody else reads it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from django.test import Client
from pytest_django import Settings

from messaging.models import Message, User
from messaging.rates import Rate
from tests.api_client import ApiClient
from tests.conftest import ClientOf
from tests.live_server import LiveServer, served_database
from tests.metrics import value

TOKEN = "a token for metrics"

TIMEOUT = 60


class Counter:
    """How much a counter rose since it was looked at first."""

    def __init__(self, name: str, **labels: str) -> None:
        self.name, self.labels = name, labels
        self.before = self.now

    @property
    def now(self) -> float:
        return value(scrape(), self.name, **self.labels)

    @property
    def rise(self) -> float:
        return self.now - self.before


def local(**headers: str) -> Client:
    """Somebody on this machine, who asks it by its own name."""
    return Client(headers={"Host": "127.0.0.1:8000", **headers})


def scrape() -> str:
    response = local().get("/metrics")
    assert response.status_code == HTTPStatus.OK
    return response.content.decode()


def test_requests_are_counted_by_route_method_and_status(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    route = {"route": "/api/v1/messages/<message_id>", "method": "GET"}
    found = Counter("parley_requests_total", **route, status="200")
    missing = Counter("parley_requests_total", **route, status="404")
    timed = Counter("parley_request_duration_seconds_count", **route)
    messages = [
        Message.objects.create(sender=ann, receiver=bob, content="hi") for _ in "12"
    ]
    client = client_of(ann)
    for message in messages:
        client.get(f"/messages/{message.pk}")
    client.get("/messages/999999")
    assert (found.rise, missing.rise, timed.rise) == (2, 1, 3)


def test_labels_have_no_end_of_values_whatever_is_sent(db: None) -> None:
    client = Client()
    client.get("/zq-unknown-path")
    client.generic("ZQMETHOD", "/zq-unknown-path?zq-query=1")
    client.get("/api/v1/messages/zq-not-a-number")
    text = scrape()
    assert "zq" not in text.lower()
    unknown = {"method": "(other)", "route": "(none)", "status": "404"}
    assert value(text, "parley_requests_total", **unknown) >= 1


def test_the_page_cache_is_counted(ann: User, bob: User, client_of: ClientOf) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="hi")
    hits = Counter("parley_page_cache_total", result="hit")
    misses = Counter("parley_page_cache_total", result="miss")
    client = client_of(ann)
    for _ in range(3):
        client.get(f"/conversations/{message.conversation_id}/messages")
    assert (misses.rise, hits.rise) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_sent_messages_are_counted_once_they_are_committed(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    sent = Counter("parley_messages_sent_total")
    client = client_of(ann)
    body = {"receiver": "bob", "content": "hi"}
    headers = {"Idempotency-Key": "once"}
    for _ in range(2):
        answer = client.call("POST", "/messages", body, headers=headers)
        assert answer.status == HTTPStatus.CREATED
    client.post("/messages", {"receiver": "nobody", "content": "hi"})
    message = Message.objects.get()
    message.content = "edited"
    message.save()
    assert sent.rise == 1


def test_refusals_of_rate_limits_are_counted_by_policy(
    ann: User, settings: Settings
) -> None:
    settings.PARLEY_RATE_LIMITS = True
    settings.PARLEY_LIMIT_SIGN_IN = Rate(1, 1000 * 24 * 3600)
    settings.PARLEY_LIMIT_BAD_TOKENS = Rate(1, 1000 * 24 * 3600)
    sign_ins = Counter("parley_refused_requests_total", policy="sign-in")
    bad_tokens = Counter("parley_refused_requests_total", policy="bad-tokens")
    guess = {"username": "ann", "password": "wrong"}
    for _ in range(3):
        Client().post("/sign-in", guess)
        ApiClient().post("/auth/tokens", guess)
        ApiClient("made-up").get("/me")
    assert (sign_ins.rise, bad_tokens.rise) == (5, 2)


def refused(client: Client, **meta: str) -> None:
    """The same answer as at an address where nothing is."""
    client.defaults.update(meta)
    client.handler.enforce_csrf_checks = True
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        here = client.generic(method, "/metrics")
        nowhere = client.generic(method, "/metricz")
        assert here.status_code == HTTPStatus.NOT_FOUND
        changing = {"X-Request-ID"}
        assert headers(here.headers, changing) == headers(nowhere.headers, changing)
        if method != "HEAD":
            shown, other = here.json(), nowhere.json()
            del shown["request_id"], other["request_id"]
            assert shown == {**other, "instance": "/metrics"}


def headers(given: Mapping[str, str], but: set[str]) -> dict[str, str]:
    # The length of the body is that of the path.
    return {
        name: text
        for name, text in given.items()
        if name not in but | {"Content-Length"}
    }


LOCAL_HOSTS = ("localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]")


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_without_a_token_only_this_machine_reads_them(db: None, host: str) -> None:
    client = local(Host=host)
    for address in ("127.0.0.1", "127.8.0.1", "::1", "::ffff:127.0.0.1"):
        assert client.get("/metrics", REMOTE_ADDR=address).status_code == 200
    for address in ("192.0.2.7", "10.0.0.1", "2001:db8::1", "", "unix:"):
        refused(local(Host=host), REMOTE_ADDR=address)


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Forwarded-Server",
        "Forwarded",
        "X-Real-IP",
        "Via",
        "X-Client-IP",
        "True-Client-IP",
        "CF-Connecting-IP",
        "X-Envoy-External-Address",
        "Client-IP",
        "X-ClientIP",
        "X-Scheme",
        "X-Azure-ClientIP",
        "X-Azure-SocketIP",
        "X-ARR-LOG-ID",
        "Fly-Client-IP",
        "Do-Connecting-IP",
        "X-Nginx-Proxy",
        "X-Amzn-Trace-Id",
        "X-Request-Start",
        "X-Remote-Addr",
        "WL-Proxy-Client-IP",
    ],
)
def test_a_proxy_on_this_machine_does_not_let_everyone_in(
    db: None, header: str
) -> None:
    for said in ("127.0.0.1", ""):
        refused(local(**{header: said}))


def test_requests_through_a_proxy_without_forwarded_headers_are_refused(
    db: None, settings: Settings
) -> None:
    """As nginx does by default, which asks in HTTP/1.0."""
    refused(local(), SERVER_PROTOCOL="HTTP/1.0")
    settings.PARLEY_TRUSTED_PROXIES = 1
    refused(local())


def test_behind_what_ends_tls_nobody_is_local(db: None, settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    refused(local())


@pytest.mark.parametrize(
    "host", ["chat.example.org", "192.0.2.7:8000", "localhost.example"]
)
def test_whoever_asks_for_another_name_came_from_elsewhere(
    db: None, settings: Settings, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    refused(local(Host=host))


def test_with_a_token_only_who_has_it_reads_them(db: None, settings: Settings) -> None:
    settings.PARLEY_METRICS_TOKEN = TOKEN
    client = Client(headers={"Authorization": f"Bearer {TOKEN}"})
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.post("/metrics").status_code == HTTPStatus.METHOD_NOT_ALLOWED
    for wrong in (f"Bearer {TOKEN}!", TOKEN, "Bearer ", "Bearer é"):
        refused(Client(headers={"Authorization": wrong}))
    refused(local())


def test_a_persons_token_reads_no_metrics(ann: User, client_of: ClientOf) -> None:
    client: ApiClient = client_of(ann)
    refused(client.client, REMOTE_ADDR="192.0.2.7")


Start = Callable[[int], LiveServer]


@pytest.fixture
def counting_processes(tmp_path: Path) -> Iterator[Start]:
    """Servers that count in files of one directory, as scripts/serve starts them."""
    counted = tmp_path / "metrics"
    counted.mkdir()
    started: list[LiveServer] = []
    with served_database(tmp_path) as environment:

        def start(processes: int) -> LiveServer:
            server = LiveServer.start(
                {**environment, "PROMETHEUS_MULTIPROC_DIR": str(counted)},
                processes=processes,
            )
            started.append(server)
            return server

        try:
            yield start
        finally:
            for server in started:
                server.stop()


@pytest.mark.slow
@pytest.mark.django_db
def test_a_served_request_of_the_old_protocol_reads_nothing(
    counting_processes: Start,
) -> None:
    (url,) = counting_processes(1).urls
    asked = f"GET /metrics HTTP/{{}}\r\nHost: {url[7:]}\r\nConnection: close\r\n\r\n"
    for version, status in (("1.1", b" 200 "), ("1.0", b" 404 ")):
        with socket.create_connection(
            ("127.0.0.1", int(url.rpartition(":")[2]))
        ) as line:
            line.sendall(asked.format(version).encode())
            assert status in line.makefile("rb").readline()


@pytest.mark.slow
@pytest.mark.django_db
def test_processes_count_together(counting_processes: Start) -> None:
    server = counting_processes(2)
    ann, bob = server.register("ann"), server.register("bob")
    for process in range(2):
        server.client(process, ann).post(
            "/messages", json={"receiver": bob.username, "content": "hi"}
        ).raise_for_status()
    for url in server.urls:
        text = httpx.get(f"{url}/metrics").raise_for_status().text
        assert value(text, "parley_messages_sent_total") == 2
        route = {"route": "/api/v1/messages", "method": "POST", "status": "201"}
        assert value(text, "parley_requests_total", **route) == 2


HOLDING = """
from prometheus_client import Gauge
Gauge("parley_open_streams", "Some.", multiprocess_mode="livesum").inc()
print("held", flush=True)
input()
"""


def test_what_a_killed_process_held_is_not_counted(
    db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.PARLEY_METRICS_DIR = str(tmp_path)
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", HOLDING],
            env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
        assert open_streams() == 2
        holders[0].kill()
        holders[0].wait(TIMEOUT)
        assert open_streams() == 1
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate(timeout=TIMEOUT)


def open_streams() -> float:
    text = local().get("/metrics", REMOTE_ADDR="127.0.0.1").content.decode()
    return value(text, "parley_open_streams")
