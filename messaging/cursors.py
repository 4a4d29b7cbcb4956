"""Opaque keyset cursors: the position at which a page ended, as text for the client.

A cursor is a position in one kind of list. It grants no access: each list is filtered
for its reader before the cursor is applied.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from messaging.errors import InvalidCursorError
from messaging.ids import MAX_ID

# The earliest datetime, so that no position is negative.
_YEAR_ONE: Final = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
# Longer than any cursor of ours: refuse longer texts before decoding them.
_MAX_LENGTH: Final = 1000


def encode_cursor(kind: str, *place: int | str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([kind, *place])).rstrip(b"=").decode()


def decode_numbers(kind: str, cursor: str) -> list[int]:
    """Decode the numbers of a cursor, each from 0 to 2^63 - 1.

    Raises:
        InvalidCursorError: the text was not made by `encode_cursor(kind, …)` of
            numbers.
    """
    numbers: list[int] = []
    for value in _decode(kind, cursor):
        # Python counts a bool as an int, but JSON's true is no position.
        if type(value) is not int or not 0 <= value <= MAX_ID:
            raise _invalid()
        numbers.append(value)
    return numbers


def decode_number(kind: str, cursor: str) -> int:
    """Decode a cursor of one number; raises like `decode_numbers`."""
    numbers = decode_numbers(kind, cursor)
    if len(numbers) != 1:
        raise _invalid()
    return numbers[0]


def decode_word(kind: str, cursor: str) -> str:
    """Decode a cursor of one word.

    Raises:
        InvalidCursorError: the text was not made by `encode_cursor(kind, word)`.
    """
    match _decode(kind, cursor):
        case [str(word)] if "\x00" not in word:
            return word
        case _:
            raise _invalid()


def moment_number(moment: datetime) -> int:
    """A time as a cursor's number: microseconds since the year 1."""
    return (moment - _YEAR_ONE) // _MICROSECOND


def numbered_moment(number: int) -> datetime:
    """The time of a number that `moment_number` made.

    Raises:
        InvalidCursorError: the number is beyond the calendar.
    """
    try:
        return _YEAR_ONE + number * _MICROSECOND
    except OverflowError as error:
        raise _invalid() from error


def _decode(kind: str, cursor: str) -> list[object]:
    if len(cursor) > _MAX_LENGTH:
        raise _invalid()
    try:
        text = base64.b64decode(
            cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True
        )
        values: object = orjson.loads(text)
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise _invalid() from error
    if not isinstance(values, list) or not values or values[0] != kind:
        raise _invalid()
    return values[1:]


def _invalid() -> InvalidCursorError:
    return InvalidCursorError(
        "This is not a cursor of this list; leave it out to begin again.",
        field="cursor",
    )
