"""Opaque cursors: where a page ended, as text that a client hands back.

A cursor names a place in one kind of list. It grants nothing: every list is
restricted to what its reader may see before the cursor is applied.
"""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from messaging.errors import InvalidCursorError
from messaging.ids import MAX_ID

# Before any moment there is: a place is never negative.
_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MAX_LENGTH: Final = 1000


def encode_cursor(kind: str, *place: int | str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([kind, *place])).rstrip(b"=").decode()


def decode_numbers(kind: str, cursor: str) -> list[int]:
    """The numbers of a cursor, each from 0 to 2^63 - 1.

    Raises:
        InvalidCursorError: not made by `encode_cursor(kind, …)` of numbers.
    """
    numbers: list[int] = []
    for value in _decode(kind, cursor):
        # A bool is an int to Python, but was never in a cursor.
        if type(value) is not int or not 0 <= value <= MAX_ID:
            raise _invalid()
        numbers.append(value)
    return numbers


def decode_number(kind: str, cursor: str) -> int:
    """The number of a cursor that has just one; raises like `decode_numbers`."""
    numbers = decode_numbers(kind, cursor)
    if len(numbers) != 1:
        raise _invalid()
    return numbers[0]


def decode_word(kind: str, cursor: str) -> str:
    """The word of a cursor that has just one.

    Raises:
        InvalidCursorError: not made by `encode_cursor(kind, word)`.
    """
    match _decode(kind, cursor):
        case [str(word)] if "\x00" not in word:
            return word
        case _:
            raise _invalid()


def moment_number(moment: datetime) -> int:
    """Microseconds since the year 1, for a place in a list that is ordered by time."""
    return (moment - _EPOCH) // _MICROSECOND


def numbered_moment(number: int) -> datetime:
    """The inverse of `moment_number`.

    Raises:
        InvalidCursorError: a number beyond the calendar.
    """
    try:
        return _EPOCH + number * _MICROSECOND
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
