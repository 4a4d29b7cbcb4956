"""A conversation's messages, page by page."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from django.db.models import QuerySet

from messaging.access import message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.database import CompiledQuery
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId
from messaging.models import Message
from messaging.pagination import Page, cut_page
from messaging.projections import MessageProjection, Row

_OLDER: Final = 0
_NEWER: Final = 1


def _displayed(messages: QuerySet[Message]) -> QuerySet[Message, Row]:
    return messages.values_list(*MessageProjection.columns())


@CompiledQuery
def _by_id(*, ids: Collection[int]) -> QuerySet[Message, Row]:
    return _displayed(Message.objects.filter(pk__in=ids))


@CompiledQuery
def _newest(*, conversation: ConversationId) -> QuerySet[Message, Row]:
    here = Message.objects.in_conversation(conversation)
    return _displayed(here.order_by("-sequence"))


@CompiledQuery
def _one(*, conversation: ConversationId, message: MessageId) -> QuerySet[Message, Row]:
    return _displayed(Message.objects.in_conversation(conversation).filter(pk=message))


@CompiledQuery
def _before(*, conversation: ConversationId, sequence: int) -> QuerySet[Message, Row]:
    here = Message.objects.in_conversation(conversation)
    return _displayed(here.filter(sequence__lt=sequence).order_by("-sequence"))


@CompiledQuery
def _after(*, conversation: ConversationId, sequence: int) -> QuerySet[Message, Row]:
    here = Message.objects.in_conversation(conversation)
    return _displayed(here.filter(sequence__gt=sequence).order_by("sequence"))


def messages_by_id(*, ids: Iterable[int]) -> list[MessageProjection]:
    """The messages of these ids that exist, in no particular order."""
    return MessageProjection.from_rows(rows_by_id(ids=ids))


def rows_by_id(*, ids: Iterable[int]) -> list[Row]:
    """Rows for subclasses of `MessageProjection`; else like `messages_by_id`."""
    return _by_id.all(ids=[*ids])


def newest_messages(
    *, conversation_id: ConversationId, limit: int
) -> Page[MessageProjection]:
    """The latest messages, newest first; the cursor leads to older ones."""
    return _older(_newest.page(limit + 1, conversation=conversation_id), limit)


def messages_after(
    *, conversation_id: ConversationId, sequence: int, limit: int
) -> Page[MessageProjection]:
    """The messages after a sequence, oldest first; the cursor leads to newer ones."""
    rows = _after.page(limit + 1, conversation=conversation_id, sequence=sequence)
    return _newer(rows, limit)


def messages_around(
    *, conversation_id: ConversationId, message_id: MessageId, limit: int
) -> Page[MessageProjection]:
    """A page with this message in its middle, newest first.

    The cursor leads to older messages; for newer ones, call `messages_after` with the
    sequence of the first item.

    Raises:
        MessageNotFoundError: the conversation has no such message.
    """
    found = _one.all(conversation=conversation_id, message=message_id)
    if not found:
        raise message_not_found()
    (middle,) = MessageProjection.from_rows(found)
    newer = _after.page(
        limit // 2, conversation=conversation_id, sequence=middle.sequence
    )
    older = _before.page(
        limit - len(newer) + 1,
        conversation=conversation_id,
        sequence=middle.sequence + 1,
    )
    page = _older([*reversed(newer), *older], limit)
    # The message may have been deleted between the two queries.
    if all(message.id != message_id for message in page.items):
        raise message_not_found()
    return page


def messages_from(
    *, conversation_id: ConversationId, cursor: str, limit: int
) -> Page[MessageProjection]:
    """The page at a cursor, in the order of the page that the cursor came from.

    Raises:
        InvalidCursorError: the cursor is not of a list of messages.
    """
    match decode_numbers("messages", cursor):
        case [direction, sequence] if direction == _OLDER:
            rows = _before.page(
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
    *, messages: Iterable[MessageProjection]
) -> dict[MessageId, MessageProjection]:
    """The parents of these messages, or the parents' tombstones; one query."""
    parents = {message.parent_message_id for message in messages}
    found = messages_by_id(ids=[parent for parent in parents if parent is not None])
    return {message.id: message for message in found}


def _older(rows: Sequence[Row], limit: int) -> Page[MessageProjection]:
    return cut_page(
        MessageProjection.from_rows(rows),
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _OLDER, message.sequence),
    )


def _newer(rows: Sequence[Row], limit: int) -> Page[MessageProjection]:
    return cut_page(
        MessageProjection.from_rows(rows),
        limit=limit,
        cursor_of=lambda message: encode_cursor("messages", _NEWER, message.sequence),
    )
