"""Limits are waited for, as long as the server says, unless that is too long."""

from collections.abc import Callable, Iterator

import pytest

from parley_client import Parley, errors
from tests.live_server import LiveServer, Person

pytestmark = pytest.mark.django_db

Limited = Callable[[str], LiveServer]


@pytest.fixture
def limited(server: LiveServer) -> Iterator[Limited]:
    """Another process over the same database, with a limit on reads."""
    started: list[LiveServer] = []

    def start(reads: str) -> LiveServer:
        environment = {
            **server.environment,
            "PARLEY_RATE_LIMITS": "on",
            "PARLEY_LIMIT_READS": reads,
        }
        started.append(LiveServer.start(environment, processes=1))
        return started[0]

    yield start
    for process in started:
        process.stop()


def test_a_limit_is_waited_for(limited: Limited, ann: Person) -> None:
    url = limited("2/1s").urls[0]
    with Parley(url, token=ann.token, retries=20) as parley:
        names = {parley.me.get().username for _ in range(8)}
    assert names == {ann.username}


def test_a_limit_that_lasts_too_long_is_an_error(limited: Limited, ann: Person) -> None:
    url = limited("1/1000d").urls[0]
    with Parley(url, token=ann.token) as parley:
        parley.me.get()
        with pytest.raises(errors.RateLimitedError) as caught:
            parley.me.get()
    assert caught.value.status == 429
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 60
