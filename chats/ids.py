"""Numbers that forms and queries carry."""

from messaging.errors import InvalidError
from messaging.ids import MAX_ID, MessageId, Sequence


def given_id(text: str | None) -> MessageId | None:
    """A message's id, None where nothing is given.

    Raises:
        InvalidError: it is no id.
    """
    return MessageId(_number(text)) if text else None


def given_sequence(text: str | None) -> Sequence:
    """Raises InvalidError: it is no sequence."""
    return Sequence(_number(text or ""))


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_ID)):
        number = int(text)
        if number <= MAX_ID:
            return number
    raise InvalidError("There is no such message.", field="message")
