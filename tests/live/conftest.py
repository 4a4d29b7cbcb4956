"""Servers and people that the live tests share: starting either takes seconds."""

from collections.abc import Iterator

import pytest

from tests.live.concurrent_calls import People
from tests.live_server import LiveServer, served_database


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Three processes over one database of their own."""
    with served_database(tmp_path_factory.mktemp("live")) as environment:
        server = LiveServer.start(environment, processes=3)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def people(servers: LiveServer) -> People:
    """Enough for ten pairs that never wrote to each other."""
    names = ("ann", "bob", "cleo", "dora", "ed")
    return tuple(servers.register(name) for name in names)
