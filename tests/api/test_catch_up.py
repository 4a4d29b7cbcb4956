"""What waits, over the API."""

from http import HTTPStatus

import pytest

from api.schemas.catch_up import CatchUpPage, UnreadConversationOut
from messaging.models import Conversation, Message, User
from tests.api_client import ApiClient


@pytest.fixture
def reply(group: Conversation, ann: User, bob: User) -> Message:
    """Bob asked in the group, and was answered there and mentioned."""
    asked = Message.objects.create(sender=bob, conversation=group, content="Where?")
    Message.objects.create(sender=ann, conversation=group, content="@bob, tea?")
    return Message.objects.create(
        sender=ann, conversation=group, content="Here.", parent_message=asked
    )


def _found(client: ApiClient, query: str = "") -> CatchUpPage:
    """The page, after checking that it is as described."""
    answer = client.get(f"/me/catch-up{query}")
    assert answer.status == HTTPStatus.OK
    return CatchUpPage.model_validate_json(answer.body)


def _contents(item: UnreadConversationOut) -> list[list[str]]:
    return [
        [each.message.content for each in thread.notifications]
        for thread in item.threads
    ]


def test_it_shows_conversations_threads_and_messages_as_everywhere(
    as_bob: ApiClient, reply: Message
) -> None:
    found = _found(as_bob)
    (item,) = found.items
    path = f"/conversations/{reply.conversation_id}"
    assert item.conversation.model_dump(mode="json") == as_bob.get(path).json
    assert _contents(item) == [["@bob, tea?"], ["Here."]]
    plain, thread = item.threads
    assert plain.root is None
    assert thread.root is not None
    root = as_bob.get(f"/messages/{reply.parent_message_id}").json
    assert thread.root.model_dump(mode="json") == root
    (notification,) = thread.notifications
    newest = as_bob.get("/notifications").items[0]
    assert notification.model_dump(mode="json") == newest
    assert (item.mention_count, item.reply_count) == (1, 1)
    counts = (found.badge_count, found.mention_count, found.reply_count)
    assert counts == (2, 1, 1)


@pytest.mark.parametrize(
    ("show", "shown"),
    [
        ("all", [["@bob, tea?"], ["Here."]]),
        ("mentions", [["@bob, tea?"]]),
        ("replies", [["Here."]]),
    ],
)
@pytest.mark.usefixtures("reply")
def test_mentions_and_replies_are_asked_for(
    as_bob: ApiClient, show: str, shown: list[list[str]]
) -> None:
    (item,) = _found(as_bob, f"?show={show}").items
    assert _contents(item) == shown


def test_another_kind_is_refused(as_bob: ApiClient) -> None:
    answer = as_bob.get("/me/catch-up?show=everything")
    assert (answer.status, answer.code) == (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
    )


@pytest.mark.usefixtures("message")
def test_pages_lead_to_each_other(as_bob: ApiClient, reply: Message) -> None:
    first = _found(as_bob, "?limit=1")
    second = _found(as_bob, f"?limit=1&cursor={first.next_cursor}")
    ids = [item.conversation.id for item in (*first.items, *second.items)]
    assert len(ids) == len({*ids}) == 2
    assert reply.conversation_id in ids
    assert second.next_cursor is None


def test_what_was_shown_is_marked_by_its_ranges(
    as_bob: ApiClient, reply: Message
) -> None:
    (item,) = _found(as_bob, "?show=mentions").items
    ranges = [
        dict.fromkeys(("first_sequence", "last_sequence"), each.message.sequence)
        for thread in item.threads
        for each in thread.notifications
    ]
    path = f"/conversations/{reply.conversation_id}/read"
    assert as_bob.put(path, {"ranges": ranges}).status == HTTPStatus.NO_CONTENT
    (left,) = _found(as_bob).items
    assert _contents(left) == [["Here."]]
