"""Blocks act in both directions, and do not reveal who blocked whom."""

import pytest

from messaging.errors import NotDeliverableError, SelfBlockError
from messaging.models import Block, Conversation, Message, Notification, User
from messaging.services import blocks, conversations
from tests.conftest import ClientOf, MakeUser
from tests.rows import erase


@pytest.fixture(params=["sender blocks", "receiver blocks"])
def blocked_pair(
    request: pytest.FixtureRequest, ann: User, bob: User
) -> tuple[User, User]:
    """Two people, one of whom blocked the other, whichever way round."""
    pair = (ann, bob) if request.param == "sender blocks" else (bob, ann)
    blocks.block(blocker=pair[0], blocked=pair[1])
    return ann, bob


def test_a_block_stops_new_messages(blocked_pair: tuple[User, User]) -> None:
    sender, receiver = blocked_pair
    with pytest.raises(NotDeliverableError):
        Message.objects.create(sender=sender, receiver=receiver, content="hello")
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()


def test_a_block_stops_edits(ann: User, bob: User) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="before")
    blocks.block(blocker=bob, blocked=ann)
    message.content = "after"
    with pytest.raises(NotDeliverableError):
        message.save()
    assert Message.objects.get(pk=message.pk).content == "before"


def test_a_block_stops_starting_a_group(blocked_pair: tuple[User, User]) -> None:
    owner, _ = blocked_pair
    with pytest.raises(NotDeliverableError):
        conversations.start_group(owner=owner, title="G", usernames=["bob"])
    assert not Conversation.objects.exists()


def test_a_shared_group_goes_on(ann: User, bob: User) -> None:
    group = conversations.start_group(
        owner=ann, title="G", usernames=["bob"]
    ).conversation
    blocks.block(blocker=bob, blocked=ann)
    message = Message.objects.create(sender=ann, conversation=group, content="hi")
    assert Notification.objects.get(message=message).user == bob


def test_earlier_messages_stay_readable(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="before")
    client = client_of(ann)
    before = client.get(f"/conversations/{message.conversation_id}").json
    blocks.block(blocker=bob, blocked=ann)
    assert client.get(f"/conversations/{message.conversation_id}").json == before
    page = client.get(f"/conversations/{message.conversation_id}/messages")
    assert [item["content"] for item in page.items] == ["before"]
    assert client.get("/users?query=bob").items != []


def test_unblocking_takes_back_ones_own_block_alone(ann: User, bob: User) -> None:
    blocks.block(blocker=ann, blocked=bob)
    blocks.block(blocker=bob, blocked=ann)
    blocks.unblock(blocker=ann, blocked=bob)
    with pytest.raises(NotDeliverableError):
        Message.objects.create(sender=ann, receiver=bob, content="hello")
    blocks.unblock(blocker=bob, blocked=ann)
    Message.objects.create(sender=ann, receiver=bob, content="hello")


def test_blocking_twice_is_blocking_once(ann: User, bob: User) -> None:
    blocks.block(blocker=ann, blocked=bob)
    blocks.block(blocker=ann, blocked=bob)
    assert Block.objects.count() == 1


def test_nobody_blocks_themselves(ann: User) -> None:
    with pytest.raises(SelfBlockError):
        blocks.block(blocker=ann, blocked=ann)
    assert not Block.objects.exists()


def test_blocks_over_the_api(
    ann: User, bob: User, cleo: User, client_of: ClientOf
) -> None:
    client = client_of(ann)
    assert client.put("/blocks/BOB").status == 204
    assert client.put("/blocks/cleo").status == 204
    listed = client.paginate("/blocks", limit=1)
    assert [
        item["user"]["username"] for item in listed if isinstance(item["user"], dict)
    ] == ["cleo", "bob"]
    assert client_of(bob).get("/blocks").items == []
    for person, other in ((ann, "bob"), (bob, "ann")):
        answer = client_of(person).post(
            "/messages", {"receiver": other, "content": "hello"}
        )
        assert (answer.status, answer.code) == (403, "not_deliverable")
        start = {"kind": "direct", "participant": other}
        assert client_of(person).post("/conversations", start).status == 403
    assert client.delete("/blocks/bob").status == 204
    assert client.delete("/blocks/bob").status == 204
    assert client.put("/blocks/nobody").code == "user_not_found"
    assert client.put("/blocks/ann").code == "self_block"
    sent = client.post("/messages", {"receiver": "bob", "content": "hello"})
    assert sent.status == 201


def test_an_added_participant_must_be_deliverable(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    group = conversations.start_group(owner=ann, title="G", usernames=[]).conversation
    blocks.block(blocker=bob, blocked=ann)
    answer = client_of(ann).put(f"/conversations/{group.pk}/participants/bob")
    assert (answer.status, answer.code) == (403, "not_deliverable")
    assert group.participants.count() == 1


def test_notifications_of_a_muted_conversation_are_silent(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    first = Message.objects.create(sender=ann, receiver=bob, content="one")
    path = f"/conversations/{first.conversation_id}"
    client = client_of(bob)
    assert client.put(f"{path}/mute").status == 204
    assert client.get(path).json["muted"] is True
    second = Message.objects.create(sender=ann, receiver=bob, content="@bob two")
    assert client.delete(f"{path}/mute").status == 204
    third = Message.objects.create(sender=ann, receiver=bob, content="three")
    silent = Notification.objects.filter(user=bob, silent=True)
    assert [notification.message for notification in silent] == [second]
    assert client.get("/inbox/summary").json["unread_count"] == 3
    assert third.conversation_id == first.conversation_id


def test_a_hidden_conversation_comes_back_with_its_next_message(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="one")
    path = f"/conversations/{message.conversation_id}"
    client = client_of(bob)
    assert client.put(f"{path}/hidden").status == 204
    assert client.get("/conversations").items == []
    assert client.get(path).json["hidden"] is True
    assert client_of(ann).get("/conversations").items != []
    Message.objects.create(sender=ann, receiver=bob, content="two")
    (shown,) = client.get("/conversations").items
    assert shown["hidden"] is False


def test_a_hidden_conversation_can_be_shown_again(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="one")
    path = f"/conversations/{message.conversation_id}"
    client = client_of(bob)
    client.put(f"{path}/hidden")
    assert client.delete(f"{path}/hidden").status == 204
    assert len(client.get("/conversations").items) == 1


def test_strangers_mute_and_hide_nothing(
    ann: User, bob: User, make_user: MakeUser, client_of: ClientOf
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="one")
    stranger = client_of(make_user("stranger"))
    for part in ("mute", "hidden"):
        path = f"/conversations/{message.conversation_id}/{part}"
        assert stranger.put(path).code == "conversation_not_found"
        assert stranger.delete(path).code == "conversation_not_found"


def test_a_suspended_person_can_be_unblocked(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    blocks.block(blocker=ann, blocked=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert client_of(ann).delete("/blocks/bob").status == 204
    assert not Block.objects.exists()


def test_a_message_marked_unread_in_a_muted_conversation_is_silent(
    ann: User, bob: User, client_of: ClientOf
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="one")
    client = client_of(bob)
    client.put(f"/conversations/{message.conversation_id}/mute")
    erase(Notification.objects.all())
    assert client.delete(f"/messages/{message.pk}/read").status == 204
    assert Notification.objects.get().silent
