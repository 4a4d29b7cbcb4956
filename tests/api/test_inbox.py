"""What is unread, and notifications, over the API."""

from http import HTTPStatus

import pytest

from messaging.models import Message, Notification, User
from tests.api_client import ApiClient


@pytest.fixture
def mention(ann: User, bob: User, message: Message) -> Message:
    """The second of two messages from ann to bob."""
    return Message.objects.create(sender=ann, receiver=bob, content="@bob?")


def test_an_inbox_holds_what_is_unread_newest_first(
    as_ann: ApiClient, as_bob: ApiClient, message: Message, mention: Message
) -> None:
    unread = as_bob.paginate("/inbox", limit=1)
    assert [item["id"] for item in unread] == [mention.pk, message.pk]
    assert unread[1] == as_bob.get(f"/messages/{message.pk}").json
    assert as_ann.get("/inbox").items == []


@pytest.mark.usefixtures("mention")
def test_a_summary_counts(as_bob: ApiClient) -> None:
    summary = as_bob.get("/inbox/summary")
    assert summary.number("unread_count") == 2
    assert summary.number("mention_count") == 1
    assert summary.number("conversation_count") == 1


@pytest.mark.parametrize("source", ["/inbox", "/inbox/summary"])
def test_messages_after_up_to_stay_unread(
    as_bob: ApiClient, ann: User, bob: User, mention: Message, source: str
) -> None:
    up_to = as_bob.get(source).text("up_to")
    later = Message.objects.create(sender=ann, receiver=bob, content="later")
    answer = as_bob.put("/inbox/read", {"up_to": up_to})
    assert answer.status == HTTPStatus.NO_CONTENT
    assert [item["id"] for item in as_bob.get("/inbox").items] == [later.pk]


def test_a_message_is_marked_read_and_unread_again(
    as_bob: ApiClient, message: Message
) -> None:
    path = f"/messages/{message.pk}"
    for _ in range(2):
        assert as_bob.put(f"{path}/read").status == HTTPStatus.NO_CONTENT
        assert as_bob.get(path).json["read"] is True
    for _ in range(2):
        assert as_bob.delete(f"{path}/read").status == HTTPStatus.NO_CONTENT
        assert as_bob.get(path).json["read"] is False
    assert len(as_bob.get("/inbox").items) == 1


def test_nobody_marks_their_own_message(as_ann: ApiClient, message: Message) -> None:
    for call in (as_ann.put, as_ann.delete):
        assert call(f"/messages/{message.pk}/read").code == "own_message"
    assert not Message.objects.get().read


def test_a_notification_is_read_with_its_message(
    as_ann: ApiClient, as_bob: ApiClient, mention: Message
) -> None:
    newest, oldest = as_bob.paginate("/notifications", limit=1)
    assert (newest["kind"], oldest["kind"]) == ("mention", "message")
    assert newest["message"] == as_bob.get(f"/messages/{mention.pk}").json
    path = f"/notifications/{newest['id']}/read"
    assert as_ann.put(path).code == "notification_not_found"
    assert Notification.objects.filter(is_read=True).count() == 0
    assert as_bob.put(path).status == HTTPStatus.NO_CONTENT
    assert as_bob.get(f"/messages/{mention.pk}").json["read"] is True
    assert as_bob.get("/notifications").items[0]["is_read"] is True
