"""A live server, and people on it who use the client."""

from collections.abc import Iterator
from typing import Protocol

import pytest

from parley_client import Parley
from tests.live_server import LiveServer, Person, served_database

# Seconds: long enough for a busy machine.
TIMEOUT = 60.0


class SignIn(Protocol):
    def __call__(
        self,
        person: Person,
        *,
        url: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = 6,
    ) -> Parley: ...


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Two processes over one database of their own."""
    with served_database(tmp_path_factory.mktemp("client")) as environment:
        server = LiveServer.start(environment, processes=2)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def sign_in(server: LiveServer) -> Iterator[SignIn]:
    """Clients that are closed after the test."""
    made: list[Parley] = []

    def of(
        person: Person,
        *,
        url: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = 6,
    ) -> Parley:
        parley = Parley(
            url or server.urls[0], token=person.token, timeout=timeout, retries=retries
        )
        made.append(parley)
        return parley

    yield of
    for parley in made:
        parley.close()


@pytest.fixture
def ann(server: LiveServer) -> Person:
    return server.register("ann")


@pytest.fixture
def bob(server: LiveServer) -> Person:
    return server.register("bob")
