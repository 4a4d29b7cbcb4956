"""How many streams and waiting polls a person may have open."""

import pytest
from pytest_django import Settings

from tests.api_client import ApiClient


@pytest.mark.parametrize("path", ["/events", "/events/poll"])
def test_a_refused_stream_takes_no_slot(
    as_ann: ApiClient, settings: Settings, path: str
) -> None:
    settings.PARLEY_MAX_STREAMS_PER_USER = 1
    for _ in range(2):
        assert as_ann.get(f"{path}?after=bogus").code == "invalid_cursor"
    cursor = as_ann.get("/events/poll").text("next_cursor")
    assert as_ann.get(f"/events/poll?after={cursor}").status == 200
