"""The message list of a conversation's page: it is cached, so it is the same for all
participants.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final

from django.http import QueryDict

from chats.grouping import goes_on
from chats.ids import parse_message_id, parse_sequence
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId, UserId
from messaging.namesakes import namesakes
from messaging.pagination import Page
from messaging.projections import MessageProjection
from messaging.services import message_lists
from messaging.services.mentions import mentioned_participants
from messaging.services.participants import namesakes_among

_PAGE: Final = 50
_PARAMETERS: Final = frozenset({"cursor", "around", "after"})


@dataclass(frozen=True, slots=True)
class Row:
    """A message as its page shows it. `day` is set on the first message of a day (UTC)."""

    message: MessageProjection
    answered: MessageProjection | None
    continued: bool
    day: date | None


@dataclass(frozen=True, slots=True)
class MessageList:
    """Rows in reading order, and whether there is more in either direction."""

    conversation_id: ConversationId
    rows: Sequence[Row]
    older: str | None
    newer: int | None
    # Users whose usernames are shown too, since another user has the same display name.
    namesakes: frozenset[UserId]
    # The participants whom the rows mention, by username in lower case.
    mentioned: Mapping[str, UserId]


def message_list(*, conversation_id: ConversationId, query: QueryDict) -> MessageList:
    """The newest messages of a conversation, or those at the place that the query names.

    Raises:
        InvalidError: the query does not name a valid place.
        MessageNotFoundError: the conversation has no such message.
    """
    place = place_of(query)
    if "after" in place:
        return _forward(conversation_id, parse_sequence(place["after"]))
    newer = None
    if "around" in place:
        page = message_lists.messages_around(
            conversation_id=conversation_id,
            message_id=parse_message_id(place["around"]) or MessageId(0),
            limit=_PAGE,
        )
        newer = _last_if_continued(conversation_id, page.items)
    elif "cursor" in place:
        page = message_lists.messages_from(
            conversation_id=conversation_id, cursor=place["cursor"], limit=_PAGE
        )
    else:
        page = message_lists.newest_messages(
            conversation_id=conversation_id, limit=_PAGE
        )
    return _backward(conversation_id, page, newer=newer)


def place_of(query: QueryDict) -> dict[str, str]:
    """The parameter of the query that names a place; empty if there is none.

    Raises:
        InvalidCursorError: there are two.
    """
    named = {name: query.get(name) for name in _PARAMETERS}
    place = {name: value for name, value in named.items() if value is not None}
    if len(place) > 1:
        raise _no_place()
    return place


def _backward(
    conversation_id: ConversationId, page: Page[MessageProjection], *, newer: int | None
) -> MessageList:
    rows = _rows(page.items[::-1])
    return _list_of(conversation_id, rows, older=page.next_cursor, newer=newer)


def _forward(conversation_id: ConversationId, sequence: int) -> MessageList:
    page = message_lists.messages_after(
        conversation_id=conversation_id, sequence=sequence, limit=_PAGE
    )
    newer = page.items[-1].sequence if page.next_cursor is not None else None
    return _list_of(conversation_id, _rows(page.items), older=None, newer=newer)


def _list_of(
    conversation_id: ConversationId,
    rows: Sequence[Row],
    *,
    older: str | None,
    newer: int | None,
) -> MessageList:
    return MessageList(
        conversation_id,
        rows,
        older=older,
        newer=newer,
        namesakes=_namesakes(conversation_id, rows),
        mentioned=mentioned_participants(
            conversation_id=conversation_id,
            contents=[row.message.content for row in rows],
        ),
    )


def _last_if_continued(
    conversation_id: ConversationId, newest_first: Sequence[MessageProjection]
) -> int | None:
    """The last sequence shown, if the conversation has messages after it."""
    last = newest_first[0].sequence
    after = message_lists.messages_after(
        conversation_id=conversation_id, sequence=last, limit=1
    )
    return last if after.items else None


def _namesakes(
    conversation_id: ConversationId, rows: Sequence[Row]
) -> frozenset[UserId]:
    """The users who share a name, among the participants and the senders of the rows."""
    shown = [row.message.sender for row in rows]
    shown += [row.answered.sender for row in rows if row.answered is not None]
    # In a direct conversation every message has both people: no query is needed.
    receivers = [row.message.receiver for row in rows if row.message.receiver]
    if receivers or not rows:
        return namesakes([*shown, *receivers])
    return namesakes_among(conversation_id=conversation_id, shown=shown)


def _rows(messages: Sequence[MessageProjection]) -> list[Row]:
    answered = message_lists.answered_messages(messages=messages)
    return list(_grouped(messages, answered))


def _grouped(
    messages: Iterable[MessageProjection], answered: dict[MessageId, MessageProjection]
) -> Iterator[Row]:
    before: MessageProjection | None = None
    for message in messages:
        day = message.timestamp.astimezone(UTC).date()
        new_day = before is None or before.timestamp.astimezone(UTC).date() != day
        yield Row(
            message=message,
            answered=answered.get(MessageId(message.parent_message_id or 0)),
            # What a reply answers stands between it and the name above.
            continued=before is not None
            and message.parent_message_id is None
            and goes_on(before, message),
            day=day if new_day else None,
        )
        before = message


def _no_place() -> InvalidCursorError:
    return InvalidCursorError("There is no such place here.", field="cursor")
