"""Messages, trees, histories and receipts, over the API."""

from http import HTTPStatus

import pytest

from messaging.models import Conversation, Message, User
from tests.api_client import ApiClient


def test_a_direct_message_starts_a_conversation(
    as_ann: ApiClient, ann: User, bob: User
) -> None:
    answer = as_ann.post("/messages", {"receiver": "BOB", "content": "\nhi "})
    assert answer.status == HTTPStatus.CREATED
    stored = Message.objects.get()
    assert answer.headers["Location"] == f"/api/v1/messages/{stored.pk}"
    timestamp = answer.text("timestamp")
    assert timestamp.endswith("Z")
    assert answer.json == {
        "id": stored.pk,
        "conversation_id": Conversation.objects.get().pk,
        "sequence": 1,
        "sender": {"id": ann.pk, "username": "ann", "display_name": "Ann"},
        "receiver": {"id": bob.pk, "username": "bob", "display_name": "Bob"},
        "content": "hi",
        "timestamp": timestamp,
        "read": False,
        "edited": False,
        "deleted": False,
        "version": 1,
        "parent_message_id": None,
        "reply_count": 0,
    }
    assert as_ann.get(f"/messages/{stored.pk}").json == answer.json


def test_an_unknown_receiver_is_missing(as_ann: ApiClient) -> None:
    answer = as_ann.post("/messages", {"receiver": "nobody", "content": "hi"})
    assert (answer.status, answer.code) == (404, "user_not_found")
    assert not Message.objects.exists()


def test_a_reply_is_sent_to_everyone(
    as_ann: ApiClient, as_bob: ApiClient, group: Conversation
) -> None:
    path = f"/conversations/{group.pk}/messages"
    first = as_ann.post(path, {"content": "one"})
    body = {"content": "two", "parent_message_id": first.number("id")}
    reply = as_bob.post(path, body)
    assert reply.status == HTTPStatus.CREATED
    assert reply.number("parent_message_id") == first.number("id")
    assert reply.json["receiver"] is None
    assert as_ann.get(f"/messages/{first.number('id')}").number("reply_count") == 1


def test_a_sender_edits(as_ann: ApiClient, message: Message) -> None:
    answer = as_ann.patch(f"/messages/{message.pk}", {"content": "\nhi "})
    assert (answer.status, answer.text("content")) == (200, "hi")
    assert answer.json["edited"] is True
    assert as_ann.get(f"/messages/{message.pk}").json == answer.json


def test_nobody_but_the_sender_changes_a_message(
    as_bob: ApiClient, as_cleo: ApiClient, message: Message
) -> None:
    path = f"/messages/{message.pk}"
    for client, status, code in (
        (as_bob, 403, "not_sender"),
        (as_cleo, 404, "message_not_found"),
    ):
        for answer in (
            client.patch(path, {"content": "x"}),
            client.delete(path),
            client.post(f"{path}/history/1/restore"),
        ):
            assert (answer.status, answer.code) == (status, code)
    assert Message.objects.get().content == "hello"


def test_strangers_cannot_read_messages(as_cleo: ApiClient, message: Message) -> None:
    path = f"/messages/{message.pk}"
    for part in ("", "/thread", "/replies", "/receipts", "/history"):
        answer = as_cleo.get(f"{path}{part}")
        assert (answer.status, answer.code) == (404, "message_not_found")


def test_a_deleted_message_is_missing(as_ann: ApiClient, message: Message) -> None:
    path = f"/messages/{message.pk}"
    assert as_ann.delete(path).status == HTTPStatus.NO_CONTENT
    assert as_ann.get(path).code == "message_not_found"


def test_a_tombstone_is_empty_and_read_only(
    as_ann: ApiClient, as_bob: ApiClient, bob: User, message: Message
) -> None:
    Message.objects.create(sender=bob, parent_message=message, content="reply")
    path = f"/messages/{message.pk}"
    as_ann.patch(path, {"content": "secret"})
    as_ann.delete(path)
    shown = as_bob.get(path)
    assert shown.status == HTTPStatus.OK
    assert (shown.json["deleted"], shown.text("content")) == (True, "")
    assert (shown.json["sender"], shown.json["receiver"]) == (None, None)
    assert as_bob.get(f"{path}/history").items == []
    assert as_bob.get(f"{path}/receipts").items == []
    reply = {"content": "x", "parent_message_id": message.pk}
    for answer in (
        as_ann.patch(path, {"content": "x"}),
        as_ann.delete(path),
        as_ann.post(f"{path}/history/1/restore"),
        as_bob.put(f"{path}/read"),
        as_bob.delete(f"{path}/read"),
        as_bob.post(f"/conversations/{message.conversation_id}/messages", reply),
    ):
        assert (answer.status, answer.code) == (409, "message_deleted")
    assert Message.objects.count() == 2


def test_a_thread_is_nested_and_its_replies_are_flat(
    as_ann: ApiClient, bob: User, message: Message
) -> None:
    reply = Message.objects.create(sender=bob, parent_message=message, content="a")
    Message.objects.create(sender=bob, parent_message=reply, content="aa")
    Message.objects.create(sender=bob, parent_message=message, content="b")
    path = f"/messages/{message.pk}"
    whole = as_ann.get(f"{path}/thread")
    assert (whole.number("depth"), whole.number("descendant_count")) == (0, 3)
    first, second = whole.list("replies")
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert (first["content"], second["content"]) == ("a", "b")
    assert (first["depth"], first["has_more_replies"]) == (1, False)
    cut = as_ann.get(f"{path}/thread?depth=1&nodes=2")
    assert cut.json["has_more_replies"] is True
    flat = as_ann.paginate(f"{path}/replies", limit=2)
    assert [(row["content"], row["depth"]) for row in flat] == [
        ("a", 1),
        ("aa", 2),
        ("b", 1),
    ]


@pytest.mark.parametrize("query", ["depth=51", "depth=-1", "nodes=0", "nodes=2001"])
def test_a_thread_has_bounds(as_ann: ApiClient, message: Message, query: str) -> None:
    answer = as_ann.get(f"/messages/{message.pk}/thread?{query}")
    assert (answer.status, answer.code) == (422, "invalid_request")


def test_a_history_is_read_and_restored(
    as_ann: ApiClient, ann: User, message: Message
) -> None:
    path = f"/messages/{message.pk}"
    as_ann.patch(path, {"content": "hello you"})
    original, present = as_ann.paginate(f"{path}/history", limit=1)
    assert (original["version"], original["content"]) == (1, "hello")
    assert (original["edited_at"], original["edited_by"], original["diff"]) == (
        None,
        None,
        None,
    )
    editor = {"id": ann.pk, "username": "ann", "display_name": "Ann"}
    assert (present["version"], present["edited_by"]) == (2, editor)
    assert present["diff"] == [
        {"change": "same", "text": "hello"},
        {"change": "added", "text": " you"},
    ]
    restored = as_ann.post(f"{path}/history/1/restore")
    assert (restored.status, restored.text("content")) == (200, "hello")
    missing = as_ann.post(f"{path}/history/9/restore")
    assert (missing.status, missing.code) == (404, "version_not_found")


def test_receipts_list_who_has_read(
    as_ann: ApiClient, as_bob: ApiClient, ann: User, group: Conversation
) -> None:
    sent = Message.objects.create(sender=ann, conversation=group, content="news")
    assert as_bob.put(f"/messages/{sent.pk}/read").status == HTTPStatus.NO_CONTENT
    receipts = as_ann.paginate(f"/messages/{sent.pk}/receipts", limit=1)
    assert [row["read"] for row in receipts] == [True, False]
