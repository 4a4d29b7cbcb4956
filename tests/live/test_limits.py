"""Limits over several real processes: exactly the quota gets through."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import httpx
import pytest

from tests.live_server import PASSWORD, LiveServer, served_database

PROCESSES = 3

# Who stands behind the proxy.
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


# So long windows that none ends during the test.
LIMITS = {
    "PARLEY_RATE_LIMITS": "on",
    "PARLEY_TRUSTED_PROXIES": "1",
    "PARLEY_LIMIT_SIGN_IN": "10/1000d",
    "PARLEY_LIMIT_REGISTRATIONS": "10/1000d",
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with served_database(tmp_path_factory.mktemp("limits")) as environment:
        server = LiveServer.start({**environment, **LIMITS}, processes=PROCESSES)
        try:
            yield server
        finally:
            server.stop()


def concurrently(
    server: LiveServer, number: int, send: Callable[[httpx.Client, int], httpx.Response]
) -> Counter[int]:
    """The statuses of so many requests, sent to all processes at the same time."""
    clients = [server.client(process) for process in range(PROCESSES)]

    def sent(index: int) -> int:
        return send(clients[index % PROCESSES], index).status_code

    with ThreadPoolExecutor(30) as threads:
        return Counter(threads.map(sent, range(number)))


def sign_in(
    client: httpx.Client, username: str, password: str, address: str
) -> httpx.Response:
    return client.post(
        "/auth/tokens",
        json={"username": username, "password": password},
        headers={"X-Forwarded-For": address},
    )


@pytest.mark.django_db
def test_of_200_parallel_guesses_exactly_10_are_tried(limited: LiveServer) -> None:
    ann = limited.register("ann").username
    statuses = concurrently(
        limited,
        200,
        lambda client, index: sign_in(client, ann, f"guess {index}", HERE),
    )
    assert statuses == {HTTPStatus.UNAUTHORIZED: 10, HTTPStatus.TOO_MANY_REQUESTS: 190}
    client = limited.client(0)
    assert sign_in(client, ann, PASSWORD, HERE).status_code == 429
    assert sign_in(client, ann, PASSWORD, ELSEWHERE).status_code == 201


@pytest.mark.django_db
def test_of_200_parallel_registrations_exactly_10_are_opened(
    limited: LiveServer,
) -> None:
    statuses = concurrently(
        limited,
        200,
        lambda client, index: client.post(
            "/auth/register",
            json={"username": f"person{index}", "password": PASSWORD},
            headers={"X-Forwarded-For": HERE},
        ),
    )
    assert statuses == {HTTPStatus.CREATED: 10, HTTPStatus.TOO_MANY_REQUESTS: 190}
