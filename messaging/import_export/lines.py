"""The shape of one line, for import and export."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from messaging.characters import is_visible
from messaging.errors import InvalidContentError
from messaging.import_export.errors import BadLineError
from messaging.text import clean_content, is_storable

# Far more than a valid line needs: 5,000 characters, each escaped, take 60 kB.
MAX_LINE_BYTES: Final = 1024 * 1024
NAME_MAX_LENGTH: Final = 255

_KEYS: Final = (
    "id",
    "conversation",
    "sender",
    "timestamp",
    "content",
    "parent_message",
)
# Stricter than Python's parser, which accepts other ISO 8601 forms, and times without a
# zone.
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Line:
    """A message; without a sender, the tombstone of a message."""

    id: str
    conversation: str
    sender: str | None
    timestamp: datetime
    content: str
    parent_message: str | None


def parse_line(raw: bytes) -> Line:
    """Parse and check one line by itself; its references are not looked up.

    Raises:
        BadLineError: the line breaks a rule of the shape.
    """
    fields = _fields(raw)
    sender = _name_or_null(fields, "sender")
    return Line(
        id=_name(fields, "id"),
        conversation=_name(fields, "conversation"),
        sender=sender,
        timestamp=_moment(_text(fields, "timestamp")),
        content=_content(_text(fields, "content"), tombstone=sender is None),
        parent_message=_name_or_null(fields, "parent_message"),
    )


def format_line(line: Line) -> bytes:
    return orjson.dumps(
        {
            "id": line.id,
            "conversation": line.conversation,
            "sender": line.sender,
            "timestamp": _format_moment(line.timestamp),
            "content": line.content,
            "parent_message": line.parent_message,
        },
        option=orjson.OPT_APPEND_NEWLINE,
    )


def _fields(raw: bytes) -> Mapping[str, object]:
    if len(raw) > MAX_LINE_BYTES:
        raise BadLineError(f"is longer than {MAX_LINE_BYTES:,} bytes")
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadLineError(f"is no JSON: {error.msg}") from error
    if not isinstance(value, dict):
        raise BadLineError("is no JSON object")
    if missing := [key for key in _KEYS if key not in value]:
        raise BadLineError(f"lacks {', '.join(missing)}")
    if unknown := [key for key in value if key not in _KEYS]:
        raise BadLineError(f"has unknown keys: {_shortened(unknown)}")
    return value


def _text(fields: Mapping[str, object], key: str) -> str:
    value = fields[key]
    if not isinstance(value, str):
        raise BadLineError(f"{key} is no string")
    return value


def _name(fields: Mapping[str, object], key: str) -> str:
    name = _text(fields, key)
    if not 1 <= len(name) <= NAME_MAX_LENGTH:
        raise BadLineError(
            f"{key} has {len(name):,} characters instead of 1 to {NAME_MAX_LENGTH}"
        )
    if not is_storable(name):
        raise BadLineError(f"{key} holds a NUL character or a lone surrogate")
    if not is_visible(name):
        raise BadLineError(f"{key} holds nothing that can be seen: {name!a}")
    return name


def _name_or_null(fields: Mapping[str, object], key: str) -> str | None:
    return None if fields[key] is None else _name(fields, key)


def _moment(text: str) -> datetime:
    if not _RFC_3339.fullmatch(text):
        raise BadLineError(
            "timestamp is no RFC 3339 time with a zone, like 2026-01-31T09:30:00Z"
        )
    try:
        moment = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadLineError("timestamp is no moment of the calendar") from error
    return moment


def _content(text: str, *, tombstone: bool) -> str:
    if tombstone:
        if text:
            raise BadLineError("has content but no sender")
        return text
    try:
        return clean_content(text)
    except InvalidContentError as error:
        raise BadLineError(f"content is not fit: {error}") from error


def _format_moment(moment: datetime) -> str:
    exact = "microseconds" if moment.microsecond % 1000 else "milliseconds"
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=exact)
    return f"{text}Z"


def _shortened(names: Sequence[str]) -> str:
    """The names in a list, cut for the terminal: a file may hold any."""
    text = ", ".join(repr(name) for name in names)
    return text if len(text) <= NAME_MAX_LENGTH else f"{text[:NAME_MAX_LENGTH]}…"
