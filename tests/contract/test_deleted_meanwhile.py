"""An operation answers with a declared refusal if its target is deleted between two steps."""

from functools import partial
from typing import Final

import pytest

from tests.action_between_steps import ACTIONS, statuses_with_action_at_each_step
from tests.contract.document import Operation, operations
from tests.contract.hostile import Case, proper_requests
from tests.contract.sample_data import SampleData, create_sample_data

# Has no end; what it composes is what the long poll does.
_ENDLESS: Final = "events_stream"

OPERATIONS: Final = [one for one in operations() if one.id != _ENDLESS]


@pytest.fixture
def sample_data(db: None) -> SampleData:
    return create_sample_data()


def _status(case: Case, operation: Operation, sample_data: SampleData) -> int:
    return case.send(sample_data.caller(operation.id), operation).status


@pytest.mark.slow(but_one_in=8)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_a_concurrent_deletion_is_a_declared_refusal(
    operation: Operation, sample_data: SampleData
) -> None:
    for case in proper_requests(operation, sample_data):
        request = partial(_status, case, operation, sample_data)
        for action in ACTIONS:
            statuses = statuses_with_action_at_each_step(request, action)
            assert statuses
            assert set(statuses) <= operation.statuses - {500, 503}, action


@pytest.mark.slow(but_one_in=4)
@pytest.mark.parametrize("place", ["around", "after_sequence", "cursor", "limit"])
def test_a_position_in_a_conversation_is_deleted_concurrently(
    place: str, sample_data: SampleData
) -> None:
    path = f"/conversations/{sample_data.examples['conversation_id']}/messages"
    first = sample_data.client.get(f"{path}?limit=1").text("next_cursor")
    value = {"cursor": first}.get(place, sample_data.examples[place])

    def request() -> int:
        return sample_data.client.get(f"{path}?{place}={value}").status

    for action in ACTIONS:
        assert set(statuses_with_action_at_each_step(request, action)) <= {
            200,
            401,
            404,
        }
