"""Parses ids in forms and queries."""

from collections.abc import Collection

from messaging.errors import InvalidError
from messaging.ids import MAX_ID, LookId, MessageId, Sequence
from messaging.sequence_ranges import MOST_RANGES, SequenceRange


def parse_message_id(text: str | None) -> MessageId | None:
    """Parse a message's id; None for an empty text.

    Raises:
        InvalidError: the text is no id.
    """
    return MessageId(_number(text)) if text else None


def parse_sequence(text: str | None) -> Sequence:
    """Parse a sequence.

    Raises:
        InvalidError: the text is no sequence.
    """
    return Sequence(_number(text or ""))


def parse_look_id(text: str | None) -> LookId:
    """Parse the id of a look.

    Raises:
        InvalidError: the text is no id.
    """
    return LookId(_number(text or "", field="up_to"))


def parse_ranges(texts: Collection[str]) -> list[SequenceRange]:
    """Ranges of sequences, each as `FIRST-LAST`.

    Raises:
        InvalidError: one of them is no range, or there are too many.
    """
    if len(texts) > MOST_RANGES:
        raise InvalidError("These are too many ranges.", field="range")
    return [_range(text) for text in texts]


def _range(text: str) -> SequenceRange:
    first, _, last = text.partition("-")
    parsed = SequenceRange(
        Sequence(_number(first, field="range")), Sequence(_number(last, field="range"))
    )
    if not 1 <= parsed.first <= parsed.last:
        raise InvalidError("This is no range of messages.", field="range")
    return parsed


def _number(text: str, *, field: str = "message") -> int:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID)):
        number = int(text)
        if number <= MAX_ID:
            return number
    what = "look" if field == "up_to" else "message"
    raise InvalidError(f"There is no such {what}.", field=field)
