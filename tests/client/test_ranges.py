"""Requests that mark just what was seen."""

import pytest

from parley_client.ranges import seen


@pytest.mark.parametrize(
    ("sequences", "ranges"),
    [
        ([4], [(4, 4)]),
        ([3, 1, 2, 2], [(1, 3)]),
        ([1, 2, 4, 7, 8], [(1, 2), (4, 4), (7, 8)]),
    ],
)
def test_what_was_seen_becomes_ranges(
    sequences: list[int], ranges: list[tuple[int, int]]
) -> None:
    [request] = seen(sequences)
    assert [
        (each.first_sequence, each.last_sequence) for each in request.ranges or ()
    ] == ranges


def test_a_request_has_no_more_ranges_than_the_server_takes() -> None:
    requests = list(seen(range(1, 501, 2)))
    assert [len(each.ranges or ()) for each in requests] == [100, 100, 50]


def test_nothing_seen_asks_for_nothing() -> None:
    assert list(seen([])) == []
