"""A page reports what was deleted between two steps of its request."""

from collections.abc import Mapping

import pytest
from django.test import Client
from django.urls import reverse

from tests.action_between_steps import ACTIONS, statuses_with_action_at_each_step
from tests.api_client import Method
from tests.chats.routes import (
    IN_PLACE,
    METHODS,
    ROUTES,
    ROWS,
    SIGN_IN_ROUTES,
    Route,
    sent,
)
from tests.contract.sample_data import SampleData

FINE = {200, 302, 403, 404, 409, 422}

CASES = [
    (route, method)
    for route in ROUTES
    for method, declared in zip(METHODS, ROWS[route.name].statuses, strict=True)
    if declared != 405 and route.name not in SIGN_IN_ROUTES
]


@pytest.mark.slow(but_one_in=8)
@pytest.mark.parametrize("headers", [{}, IN_PLACE], ids=["page", "in place"])
@pytest.mark.parametrize(
    ("route", "method"), CASES, ids=[f"{route}-{method}" for route, method in CASES]
)
def test_a_concurrent_deletion_is_reported(
    route: Route,
    method: Method,
    headers: Mapping[str, str],
    sample_data: SampleData,
    sample_data_browser: Client,
) -> None:
    def request() -> int:
        return sent(
            sample_data_browser, method, route, sample_data, headers=headers
        ).status

    for action in ACTIONS:
        assert set(statuses_with_action_at_each_step(request, action)) <= FINE, action


@pytest.mark.slow(but_one_in=8)
@pytest.mark.parametrize("route", ["conversation", "message_rows"])
@pytest.mark.parametrize("place", ["around", "after", "cursor", "reply"])
def test_a_position_in_a_conversation_is_deleted_concurrently(
    route: str, place: str, sample_data: SampleData, sample_data_browser: Client
) -> None:
    talk = sample_data.examples["conversation_id"]
    older = sample_data.client.get(f"/conversations/{talk}/messages?limit=1")
    value = {
        "after": 1,
        "cursor": older.text("next_cursor"),
        # Its row goes, and no tombstone stays.
        "around": older.items[0]["id"],
        "reply": older.items[0]["id"],
    }[place]

    def request() -> int:
        path = reverse(route, args=[talk])
        return sample_data_browser.get(f"{path}?{place}={value}").status_code

    for action in ACTIONS:
        assert set(statuses_with_action_at_each_step(request, action)) <= FINE, action
