"""A conversation's messages, page by page."""

from collections.abc import Iterable, Sequence
from typing import Final

from messaging.access import message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId
from messaging.models import Message
from messaging.models.messages import MessageQuerySet
from messaging.pages import Page, cut_page
from messaging.statements import Ids, Parameter, Statement

_OLDER: Final = 0
_NEWER: Final = 1


def _displayed() -> MessageQuerySet:
    return Message.objects.filter(conversation=Parameter("conversation")).for_display()


_BY_ID: Final = Statement(
    lambda: Message.objects.for_display().filter(pk__in=Ids("ids"))
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


def messages_by_id(*, ids: Iterable[int]) -> list[Message]:
    """Those that are there, in no order."""
    return _BY_ID.all(ids=[*ids])


def newest_messages(*, conversation_id: ConversationId, limit: int) -> Page[Message]:
    """A conversation's end, newest first; the cursor goes on to older ones."""
    return _older(_NEWEST.page(limit + 1, conversation=conversation_id), limit)


def messages_after(
    *, conversation_id: ConversationId, sequence: int, limit: int
) -> Page[Message]:
    """What came after a message, oldest first; the cursor goes on to newer ones."""
    rows = _AFTER.page(limit + 1, conversation=conversation_id, sequence=sequence)
    return _newer(rows, limit)


def messages_around(
    *, conversation_id: ConversationId, message_id: MessageId, limit: int
) -> Page[Message]:
    """A page with this message in its middle, newest first.

    The cursor goes on to older ones; newer ones come after the first item's
    sequence.

    Raises:
        MessageNotFoundError: the conversation has no such message.
    """
    middle = _ONE.first(conversation=conversation_id, message=message_id)
    if middle is None:
        raise message_not_found()
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
) -> Page[Message]:
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


def answered_messages(*, messages: Iterable[Message]) -> dict[MessageId, Message]:
    """The messages, or their tombstones, that these are replies to; one query."""
    parents = {message.parent_message_id for message in messages}
    found = messages_by_id(ids=[parent for parent in parents if parent is not None])
    return {MessageId(message.pk): message for message in found}


def _older(rows: Sequence[Message], limit: int) -> Page[Message]:
    return cut_page(
        rows,
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _OLDER, message.sequence),
    )


def _newer(rows: Sequence[Message], limit: int) -> Page[Message]:
    return cut_page(
        rows,
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _NEWER, message.sequence),
    )
