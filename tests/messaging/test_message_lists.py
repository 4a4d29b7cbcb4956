"""A conversation's messages, page by page."""

from collections.abc import Callable

import pytest

from messaging.cursors import encode_cursor
from messaging.errors import InvalidCursorError, MessageNotFoundError
from messaging.ids import MAX_ID, ConversationId, MessageId
from messaging.models import Message, User
from messaging.pagination import Page
from messaging.projections import MessageProjection
from messaging.services.message_lists import (
    messages_after,
    messages_around,
    messages_from,
    newest_messages,
)
from messaging.services.messages import delete_message
from tests.proofs import own_of


@pytest.fixture
def seven_messages(ann: User, bob: User) -> list[Message]:
    """Sequences 1 to 7 between ann and bob."""
    return [
        Message.objects.create(sender=ann, receiver=bob, content=str(number))
        for number in range(1, 8)
    ]


@pytest.fixture
def direct(seven_messages: list[Message]) -> ConversationId:
    return ConversationId(seven_messages[0].conversation_id)


def _sequences(page: Page[MessageProjection]) -> list[int]:
    return [message.sequence for message in page.items]


def _walk(
    start: Page[MessageProjection], conversation_id: ConversationId
) -> list[list[int]]:
    pages = [_sequences(start)]
    cursor = start.next_cursor
    while cursor is not None:
        page = messages_from(conversation_id=conversation_id, cursor=cursor, limit=3)
        pages.append(_sequences(page))
        cursor = page.next_cursor
    return pages


def test_a_conversation_is_read_from_its_end(direct: ConversationId) -> None:
    start = newest_messages(conversation_id=direct, limit=3)
    assert _walk(start, direct) == [[7, 6, 5], [4, 3, 2], [1]]


def test_a_page_that_is_just_full_is_the_last(direct: ConversationId) -> None:
    page = newest_messages(conversation_id=direct, limit=7)
    assert (len(page.items), page.next_cursor) == (7, None)


@pytest.mark.parametrize(
    ("sequence", "pages"),
    [(0, [[1, 2, 3], [4, 5, 6], [7]]), (4, [[5, 6, 7]]), (7, [[]]), (99, [[]])],
)
def test_catching_up_goes_oldest_first(
    direct: ConversationId, sequence: int, pages: list[list[int]]
) -> None:
    start = messages_after(conversation_id=direct, sequence=sequence, limit=3)
    assert _walk(start, direct) == pages


@pytest.mark.parametrize(
    ("middle", "limit", "pages"),
    [
        (4, 3, [[5, 4, 3], [2, 1]]),
        (4, 4, [[6, 5, 4, 3], [2, 1]]),
        (4, 1, [[4], [3, 2, 1]]),
        (7, 3, [[7, 6, 5], [4, 3, 2], [1]]),
        (6, 5, [[7, 6, 5, 4, 3], [2, 1]]),
        (1, 3, [[2, 1]]),
        (4, 200, [[7, 6, 5, 4, 3, 2, 1]]),
    ],
)
def test_a_conversation_opens_around_a_message(
    seven_messages: list[Message],
    direct: ConversationId,
    middle: int,
    limit: int,
    pages: list[list[int]],
) -> None:
    start = messages_around(
        conversation_id=direct,
        message_id=MessageId(seven_messages[middle - 1].pk),
        limit=limit,
    )
    assert _walk(start, direct) == pages


def test_no_page_opens_around_anothers_message(
    ann: User, cleo: User, direct: ConversationId
) -> None:
    in_thread = Message.objects.create(sender=ann, receiver=cleo, content="x")
    for message_id in (in_thread.pk, MAX_ID):
        with pytest.raises(MessageNotFoundError):
            messages_around(
                conversation_id=direct, message_id=MessageId(message_id), limit=3
            )


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        (lambda of: newest_messages(conversation_id=of, limit=3), [4, 3, 2]),
        (
            lambda of: messages_after(conversation_id=of, sequence=1, limit=3),
            [5, 6, 7],
        ),
    ],
)
def test_a_cursor_outlives_what_it_was_made_at(
    ann: User,
    seven_messages: list[Message],
    direct: ConversationId,
    start: Callable[[ConversationId], Page[MessageProjection]],
    rest: list[int],
) -> None:
    page = start(direct)
    delete_message(message=own_of(ann, page.items[-1]))
    page = messages_from(conversation_id=direct, cursor=page.next_cursor or "", limit=3)
    assert _sequences(page) == rest


def test_new_messages_do_not_shift_the_pages(
    ann: User, bob: User, direct: ConversationId
) -> None:
    page = newest_messages(conversation_id=direct, limit=3)
    Message.objects.create(sender=bob, receiver=ann, content="new")
    page = messages_from(conversation_id=direct, cursor=page.next_cursor or "", limit=3)
    assert _sequences(page) == [4, 3, 2]


@pytest.mark.parametrize("place", [(), (0,), (2, 5), (0, 1, 2)])
def test_an_invalid_cursor_of_a_conversation_is_refused(
    direct: ConversationId, place: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidCursorError):
        messages_from(
            conversation_id=direct, cursor=encode_cursor("messages", *place), limit=3
        )
