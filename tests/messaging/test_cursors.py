"""Opaque cursors: whatever was not made for this list is refused."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from messaging.cursors import (
    decode_number,
    decode_numbers,
    decode_word,
    encode_cursor,
    moment_number,
    numbered_moment,
)
from messaging.errors import InvalidCursorError
from messaging.ids import MAX_ID


def _of(json: str) -> str:
    return base64.urlsafe_b64encode(json.encode()).decode().rstrip("=")


@pytest.mark.parametrize("place", [(), (0,), (1, 2, 3), (MAX_ID,)])
def test_numbers_round_trip(place: tuple[int, ...]) -> None:
    assert decode_numbers("list", encode_cursor("list", *place)) == list(place)


@pytest.mark.parametrize("word", ["", "ann", "ä👋"])
def test_a_word_round_trips(word: str) -> None:
    assert decode_word("list", encode_cursor("list", word)) == word


def test_a_cursor_fits_into_a_query_as_it_is() -> None:
    cursors = [encode_cursor("list", "?" * length) for length in range(30)]
    assert all(part.replace("-", "").replace("_", "").isalnum() for part in cursors)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "é",
        "A",
        "A" * 1001,
        _of("null"),
        _of("{}"),
        _of("[]"),
        _of('["list"'),
        _of('["other", 1]'),
        _of('["list", true]'),
        _of('["list", -1]'),
        _of('["list", 1.0]'),
        _of('["list", "1"]'),
        _of('["list", null]'),
        _of(f'["list", {MAX_ID + 1}]'),
        _of("[" * 500),
    ],
)
def test_a_cursor_not_made_for_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursorError) as refusal:
        decode_numbers("list", cursor)
    assert refusal.value.field == "cursor"


@pytest.mark.parametrize("place", [(), (1, 2)])
def test_a_cursor_of_one_number_has_just_one(place: tuple[int, ...]) -> None:
    with pytest.raises(InvalidCursorError):
        decode_number("list", encode_cursor("list", *place))


@pytest.mark.parametrize("place", [(), (1,), ("a", "b"), ("a\x00b",)])
def test_a_cursor_of_one_word_has_just_one(place: tuple[int | str, ...]) -> None:
    with pytest.raises(InvalidCursorError):
        decode_word("list", encode_cursor("list", *place))


def test_a_time_round_trips_to_the_microsecond() -> None:
    moment = datetime(2026, 7, 1, 12, 30, 15, 123457, tzinfo=UTC)
    assert numbered_moment(moment_number(moment)) == moment
    later = moment + timedelta(microseconds=1)
    assert moment_number(later) == moment_number(moment) + 1


@pytest.mark.parametrize("number", [MAX_ID, 10**18])
def test_a_moment_beyond_the_calendar_is_refused(number: int) -> None:
    with pytest.raises(InvalidCursorError):
        numbered_moment(number)
