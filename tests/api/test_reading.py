"""Marking ranges of a conversation read."""

from http import HTTPStatus

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.schemas.messages import ReadIn
from messaging.models import Conversation, Message, User
from messaging.services.events import read_log
from tests.api_client import Answer, ApiClient, Json, JsonValue
from tests.conftest import ClientOf

COUNT = 9


@pytest.fixture
def path(group: Conversation, ann: User) -> str:
    """Of a group with unread messages of Ann's."""
    for number in range(COUNT):
        Message.objects.create(conversation=group, sender=ann, content=f"{number}")
    return f"/conversations/{group.pk}"


def _range(first: JsonValue, last: JsonValue) -> Json:
    return {"first_sequence": first, "last_sequence": last}


def _put(client: ApiClient, path: str, *ranges: Json) -> Answer:
    return client.put(f"{path}/read", {"ranges": [*ranges]})


def _unread(reader: User) -> list[int]:
    """Sequences."""
    unread = reader.notifications.filter(is_read=False)
    return sorted(unread.values_list("message__sequence", flat=True))


def test_ranges_are_read_and_nothing_else(
    client_of: ClientOf, bob: User, path: str
) -> None:
    as_bob = client_of(bob)
    answer = _put(as_bob, path, _range(8, 2**63 - 1), _range(2, 3), _range(3, 4))
    assert answer.status == HTTPStatus.NO_CONTENT
    assert _unread(bob) == [1, 5, 6, 7]
    assert as_bob.get(path).number("unread_count") == 4


def test_what_is_marked_unread_stays_so_beside_what_is_read(
    client_of: ClientOf, bob: User, path: str
) -> None:
    as_bob = client_of(bob)
    as_bob.put(f"{path}/read", {"up_to_sequence": COUNT})
    as_bob.delete(f"/messages/{Message.objects.get(sequence=5).pk}/read")
    beside = (_range(1, 4), _range(6, COUNT))
    assert _put(as_bob, path, *beside).status == HTTPStatus.NO_CONTENT
    assert _unread(bob) == [5]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ranges": [_range(5000, 5010)]}, [(5000, 5010)]),
        ({"ranges": [_range(7, 9), _range(1, 2)]}, [(7, 9), (1, 2)]),
        ({"up_to_sequence": 9}, [(0, 9)]),
    ],
)
def test_a_body_of_ranges_names_no_other_messages(
    body: Json, expected: list[tuple[int, int]]
) -> None:
    seen = ReadIn.model_validate(body).seen()
    assert [(each.first, each.last) for each in seen] == expected


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"up_to_sequence": 3, "ranges": [_range(1, 1)]}, ""),
        ({"ranges": []}, "/ranges"),
        ({"ranges": None}, "/ranges"),
        ({"up_to_sequence": None}, "/up_to_sequence"),
        ({"ranges": [_range(1, 1)] * 101}, "/ranges"),
        ({"ranges": [_range(1, 1), _range(2, 1)]}, "/ranges/1"),
        ({"ranges": [[1, 1]]}, "/ranges/0"),
        ({"ranges": [_range(0, 1)]}, "/ranges/0/first_sequence"),
        ({"ranges": [_range(1, 2**63)]}, "/ranges/0/last_sequence"),
        ({"ranges": [_range("1", 1)]}, "/ranges/0/first_sequence"),
        ({"ranges": [_range(1, 1.5)]}, "/ranges/0/last_sequence"),
        ({"ranges": [_range([], 1)]}, "/ranges/0/first_sequence"),
        ({"ranges": [{"first_sequence": 1}]}, "/ranges/0/last_sequence"),
        ({"ranges": [{**_range(1, 1), "read": True}]}, "/ranges/0/read"),
    ],
)
def test_what_is_no_range_is_pointed_at_and_marks_nothing(
    client_of: ClientOf, bob: User, path: str, body: Json, pointer: str
) -> None:
    answer = client_of(bob).put(f"{path}/read", body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert pointer in [
        error["pointer"] for error in orjson.loads(answer.body)["errors"]
    ]
    assert len(_unread(bob)) == COUNT


def test_a_hundred_ranges_cost_as_many_statements_as_one(
    client_of: ClientOf, bob: User, cleo: User, path: str
) -> None:
    hundred = [_range(first, first) for first in range(1, 200, 2)]
    counts = []
    # None of these is read by both, so that none becomes read.
    for reader, ranges in ((bob, [_range(2, 2)]), (cleo, hundred)):
        as_reader = client_of(reader)
        as_reader.get("/inbox/summary")
        read_log()
        with CaptureQueriesContext(connection) as queries:
            _put(as_reader, path, *ranges)
        counts.append(len(queries))
    assert _unread(cleo) == [2, 4, 6, 8]
    assert counts[0] == counts[1]
