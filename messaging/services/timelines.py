"""A conversation's messages, page by page."""

from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import QuerySet

from messaging.access import message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId
from messaging.models import Message
from messaging.pages import Page, cut_page
from messaging.shown import (
    SHOWN_COLUMNS,
    AnyMessage,
    ShownMessage,
    ShownRow,
    shown_messages,
)
from messaging.statements import Ids, Parameter, Statement

_OLDER: Final = 0
_NEWER: Final = 1


def _displayed() -> QuerySet[Message, ShownRow]:
    here = Message.objects.filter(conversation=Parameter("conversation"))
    return here.values_list(*SHOWN_COLUMNS)


_BY_ID: Final = Statement(
    lambda: Message.objects.filter(pk__in=Ids("ids")).values_list(*SHOWN_COLUMNS)
)
_NEWEST: Final = Statement(lambda: _displayed().order_by("-sequence"))
_ONE: Final = Statement(lambda: _displayed().filter(pk=Parameter("message")))
_BEFORE: Final = Statement(
    lambda: (
        _displayed().filter(sequence__lt=Parameter("sequence")).order_by("-sequence")
    )
)
_AFTER: Final = Statement(
    lambda: _displayed().filter(sequence__gt=Parameter("sequence")).order_by("sequence")
)


def messages_by_id(*, ids: Iterable[int]) -> list[ShownMessage]:
    """Those that are there, in no order."""
    return shown_messages(rows_by_id(ids=ids))


def rows_by_id(*, ids: Iterable[int]) -> list[ShownRow]:
    """As `messages_by_id`, for `shown_fields()`."""
    return _BY_ID.all(ids=[*ids])


def newest_messages(
    *, conversation_id: ConversationId, limit: int
) -> Page[ShownMessage]:
    """A conversation's end, newest first; the cursor goes on to older ones."""
    return _older(_NEWEST.page(limit + 1, conversation=conversation_id), limit)


def messages_after(
    *, conversation_id: ConversationId, sequence: int, limit: int
) -> Page[ShownMessage]:
    """What came after a message, oldest first; the cursor goes on to newer ones."""
    rows = _AFTER.page(limit + 1, conversation=conversation_id, sequence=sequence)
    return _newer(rows, limit)


def messages_around(
    *, conversation_id: ConversationId, message_id: MessageId, limit: int
) -> Page[ShownMessage]:
    """A page with this message in its middle, newest first.

    The cursor goes on to older ones; newer ones come after the first item's
    sequence.

    Raises:
        MessageNotFoundError: the conversation has no such message.
    """
    found = _ONE.all(conversation=conversation_id, message=message_id)
    if not found:
        raise message_not_found()
    (middle,) = shown_messages(found)
    newer = _AFTER.page(
        limit // 2, conversation=conversation_id, sequence=middle.sequence
    )
    older = _BEFORE.page(
        limit - len(newer) + 1,
        conversation=conversation_id,
        sequence=middle.sequence + 1,
    )
    return _older([*reversed(newer), *older], limit)


def messages_from(
    *, conversation_id: ConversationId, cursor: str, limit: int
) -> Page[ShownMessage]:
    """The page after another, in that one's order.

    Raises:
        InvalidCursorError: not a cursor of a conversation's messages.
    """
    match decode_numbers("messages", cursor):
        case [direction, sequence] if direction == _OLDER:
            rows = _BEFORE.page(
                limit + 1, conversation=conversation_id, sequence=sequence
            )
            return _older(rows, limit)
        case [direction, sequence] if direction == _NEWER:
            return messages_after(
                conversation_id=conversation_id, sequence=sequence, limit=limit
            )
        case _:
            raise InvalidCursorError("This is no cursor of this list.", field="cursor")


def answered_messages(
    *, messages: Iterable[AnyMessage]
) -> dict[MessageId, ShownMessage]:
    """The messages, or their tombstones, that these are replies to; one query."""
    parents = {message.parent_message_id for message in messages}
    found = messages_by_id(ids=[parent for parent in parents if parent is not None])
    return {message.id: message for message in found}


def _older(rows: Sequence[ShownRow], limit: int) -> Page[ShownMessage]:
    return cut_page(
        shown_messages(rows),
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _OLDER, message.sequence),
    )


def _newer(rows: Sequence[ShownRow], limit: int) -> Page[ShownMessage]:
    return cut_page(
        shown_messages(rows),
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _NEWER, message.sequence),
    )
