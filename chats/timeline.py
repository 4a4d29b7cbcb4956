"""The messages of a conversation as its page shows them, the same to all who read it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Final

from django.http import QueryDict

from chats.ids import given_id, given_sequence
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId
from messaging.pages import Page
from messaging.services import timelines
from messaging.shown import ShownMessage

_PAGE: Final = 50
# Within it, what one person writes in a row needs their name just once.
_BREATH: Final = timedelta(minutes=5)
_PARAMETERS: Final = frozenset({"cursor", "around", "after"})


@dataclass(frozen=True, slots=True)
class Row:
    """A message in its place. `day` is told where another day begins, by UTC."""

    message: ShownMessage
    answered: ShownMessage | None
    continued: bool
    day: date | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows in reading order, and where it goes on in either direction."""

    conversation_id: ConversationId
    rows: Sequence[Row]
    older: str | None
    newer: int | None


def timeline(*, conversation_id: ConversationId, query: QueryDict) -> Timeline:
    """The end of a conversation, or the place that a query names.

    Raises:
        InvalidError: the query names no place.
        MessageNotFoundError: the conversation has no such message.
    """
    place = place_of(query)
    if "after" in place:
        return _catching_up(conversation_id, given_sequence(place["after"]))
    if "around" in place:
        page = timelines.messages_around(
            conversation_id=conversation_id,
            message_id=given_id(place["around"]) or MessageId(0),
            limit=_PAGE,
        )
    elif "cursor" in place:
        page = timelines.messages_from(
            conversation_id=conversation_id, cursor=place["cursor"], limit=_PAGE
        )
        return _going_back(conversation_id, page, newer=None)
    else:
        page = timelines.newest_messages(conversation_id=conversation_id, limit=_PAGE)
        return _going_back(conversation_id, page, newer=None)
    return _going_back(
        conversation_id, page, newer=_followed(conversation_id, page.items)
    )


def place_of(query: QueryDict) -> dict[str, str]:
    """What of a query names a place.

    Raises:
        InvalidCursorError: it names two.
    """
    named = {name: query.get(name) for name in _PARAMETERS}
    place = {name: value for name, value in named.items() if value is not None}
    if len(place) > 1:
        raise _no_place()
    return place


def _going_back(
    conversation_id: ConversationId, page: Page[ShownMessage], *, newer: int | None
) -> Timeline:
    rows = _rows(page.items[::-1])
    return Timeline(conversation_id, rows, page.next_cursor, newer)


def _catching_up(conversation_id: ConversationId, sequence: int) -> Timeline:
    page = timelines.messages_after(
        conversation_id=conversation_id, sequence=sequence, limit=_PAGE
    )
    newer = page.items[-1].sequence if page.next_cursor is not None else None
    return Timeline(conversation_id, _rows(page.items), None, newer)


def _followed(
    conversation_id: ConversationId, newest_first: Sequence[ShownMessage]
) -> int | None:
    """The last sequence shown, if the conversation goes on after it."""
    last = newest_first[0].sequence
    after = timelines.messages_after(
        conversation_id=conversation_id, sequence=last, limit=1
    )
    return last if after.items else None


def _rows(messages: Sequence[ShownMessage]) -> list[Row]:
    answered = timelines.answered_messages(messages=messages)
    return list(_placed(messages, answered))


def _placed(
    messages: Iterable[ShownMessage], answered: dict[MessageId, ShownMessage]
) -> Iterator[Row]:
    before: ShownMessage | None = None
    for message in messages:
        day = message.timestamp.astimezone(UTC).date()
        new_day = before is None or before.timestamp.astimezone(UTC).date() != day
        yield Row(
            message=message,
            answered=answered.get(MessageId(message.parent_message_id or 0)),
            continued=not new_day and before is not None and _goes_on(before, message),
            day=day if new_day else None,
        )
        before = message


def _goes_on(before: ShownMessage, message: ShownMessage) -> bool:
    return (
        not message.deleted
        and before.sender_id == message.sender_id
        and message.parent_message_id is None
        and message.timestamp - before.timestamp < _BREATH
    )


def _no_place() -> InvalidCursorError:
    return InvalidCursorError("There is no such place here.", field="cursor")
