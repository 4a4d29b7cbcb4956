"""What waits, over the API."""

from http import HTTPStatus

import pytest

from messaging.models import Conversation, Message, User
from tests.api_client import ApiClient, Json


@pytest.fixture
def reply(group: Conversation, ann: User, bob: User) -> Message:
    """Bob asked in the group, and was answered there and mentioned."""
    asked = Message.objects.create(sender=bob, conversation=group, content="Where?")
    Message.objects.create(sender=ann, conversation=group, content="@bob, tea?")
    return Message.objects.create(
        sender=ann, conversation=group, content="Here.", parent_message=asked
    )


def _contents(item: Json) -> list[list[str]]:
    return [
        [each["message"]["content"] for each in thread["notifications"]]
        for thread in item["threads"]
    ]


def test_it_shows_conversations_threads_and_messages_as_everywhere(
    as_bob: ApiClient, reply: Message
) -> None:
    answer = as_bob.get("/me/catch-up")
    (item,) = answer.items
    path = f"/conversations/{reply.conversation_id}"
    assert item["conversation"] == as_bob.get(path).json
    assert _contents(item) == [["@bob, tea?"], ["Here."]]
    plain, thread = item["threads"]
    assert plain["root"] is None
    assert thread["root"] == as_bob.get(f"/messages/{reply.parent_message_id}").json
    (notification,) = thread["notifications"]
    assert notification == as_bob.get("/notifications").items[0]
    for counted in (answer.json, item):
        assert (counted["mention_count"], counted["reply_count"]) == (1, 1)
    assert answer.json["badge_count"] == 2


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
    (item,) = as_bob.get(f"/me/catch-up?show={show}").items
    assert _contents(item) == shown


def test_another_kind_is_refused(as_bob: ApiClient) -> None:
    answer = as_bob.get("/me/catch-up?show=everything")
    assert (answer.status, answer.code) == (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid_request",
    )


@pytest.mark.usefixtures("message")
def test_pages_lead_to_each_other(as_bob: ApiClient, reply: Message) -> None:
    items = as_bob.paginate("/me/catch-up", limit=1)
    ids = [item["conversation"]["id"] for item in items]
    assert len({*ids}) == 2
    assert reply.conversation_id in ids


def test_what_was_shown_is_marked_by_its_ranges(
    as_bob: ApiClient, ann: User, reply: Message
) -> None:
    (item,) = as_bob.get("/me/catch-up?show=mentions").items
    ranges = [
        dict.fromkeys(("first_sequence", "last_sequence"), each["message"]["sequence"])
        for thread in item["threads"]
        for each in thread["notifications"]
    ]
    path = f"/conversations/{reply.conversation_id}/read"
    assert as_bob.put(path, {"ranges": ranges}).status == HTTPStatus.NO_CONTENT
    (left,) = as_bob.get("/me/catch-up").items
    assert _contents(left) == [["Here."]]
