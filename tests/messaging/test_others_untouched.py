"""A write changes no other message, conversation or user."""

import pytest

from messaging.changes import changing
from messaging.errors import ConversationNotFoundError, NotDeliverableError
from messaging.ids import ConversationId, Sequence, UserId
from messaging.models import (
    Conversation,
    IdempotencyKey,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.services import blocks, deletion, history, notifications, participants
from messaging.services.conversations import start_group
from messaging.services.idempotency import claim
from messaging.services.messages import delete_message
from tests.conftest import MakeUser
from tests.proofs import membership_of, own_of, owned_by, readable_by, received_by
from tests.reading import read_up_to
from tests.rows import insert


def test_one_message_comes_back_into_the_inbox_alone(ann: User, bob: User) -> None:
    first, second = (
        Message.objects.create(sender=ann, receiver=bob, content=content)
        for content in ("one", "two")
    )
    membership = membership_of(bob, first.conversation)
    read_up_to(membership=membership, up_to=Sequence(second.sequence))
    notifications.mark_message_unread(
        message=received_by(bob, first), reader=UserId(bob.pk)
    )
    assert list(Message.unread.for_user(bob)) == [first]


def test_what_comes_back_is_silent_only_where_its_reader_muted(
    ann: User, bob: User, cleo: User, make_user: MakeUser
) -> None:
    dora = make_user("dora")
    group = start_group(owner=ann, title="Team", usernames=["bob"]).conversation
    muted = start_group(owner=ann, title="Other", usernames=["dora"]).conversation
    message = Message.objects.create(sender=ann, conversation=group, content="@dora")
    for name in ("dora", "cleo"):
        insert(
            Participant(
                conversation=group,
                user=User.objects.get(username=name),
                notified_from=message.sequence + 1,
            )
        )
    participants.set_muted(membership=membership_of(dora, muted), muted=True)
    participants.set_muted(membership=membership_of(bob, group), muted=True)
    for reader, kind in ((dora, "mention"), (cleo, "message")):
        notifications.mark_message_unread(
            message=received_by(reader, message), reader=UserId(reader.pk)
        )
        imported_lines = Notification.objects.get(message=message, user=reader)
        assert (imported_lines.silent, imported_lines.kind) == (False, kind)


def test_a_history_is_of_its_message_alone(ann: User, bob: User) -> None:
    one, other = (
        Message.objects.create(sender=ann, receiver=bob, content=content)
        for content in ("one", "other")
    )
    for message in (one, other):
        message.content += " again"
        message.save()
    page = history.version_page(
        message=readable_by(bob, one), reader=UserId(bob.pk), cursor=None, limit=10
    )
    assert [version.content for version in page.items] == ["one", "one again"]


def test_groups_of_others_keep_their_owners(
    ann: User, bob: User, cleo: User, group: Conversation
) -> None:
    other = start_group(owner=bob, title="Other", usernames=["cleo"]).conversation
    participants.put_participant(
        group=owned_by(bob, other), username="cleo", role="owner"
    )
    before = deletion.preview_deletion(user=ann)
    assert (before.groups_left, before.groups_handed_over) == (1, 1)
    ann.delete()
    owner = other.participants.get(role="owner")
    assert owner.user == cleo
    assert group.participants.get(role="owner").user == bob


def test_a_deletion_counts_groups_of_its_person_alone(
    ann: User, bob: User, group: Conversation, message: Message
) -> None:
    start_group(owner=bob, title="Other", usernames=[])
    start_group(owner=ann, title="Alone", usernames=[])
    counts = deletion.preview_deletion(user=ann)
    assert counts.direct_conversations == 1
    assert (counts.groups_left, counts.groups_deleted) == (2, 1)
    assert counts.groups_handed_over == 1


def test_a_deletion_takes_blocks_and_keys_of_both_sides(ann: User, bob: User) -> None:
    blocks.block(blocker=bob, blocked=ann)
    claim(user_id=UserId(ann.pk), key="one", fingerprint="x")
    claim(user_id=UserId(bob.pk), key="two", fingerprint="x")
    ann.delete()
    assert not blocks.block_page(blocker=UserId(bob.pk), cursor=None, limit=9).items
    assert [key.key for key in IdempotencyKey.objects.all()] == ["two"]


def test_a_membership_elsewhere_opens_no_conversation(
    ann: User, cleo: User, message: Message, group: Conversation
) -> None:
    conversation_id = ConversationId(message.conversation_id)
    opened = changing(conversation_id, by=UserId(cleo.pk))
    with pytest.raises(ConversationNotFoundError), opened:
        pytest.fail("opened")


def test_a_tombstone_between_messages_of_one_person_goes_with_them(
    ann: User, bob: User, group: Conversation
) -> None:
    parent: Message | None = None
    written = []
    for sender in (ann, bob, ann):
        parent = Message.objects.create(
            sender=sender, conversation=group, content="hello", parent_message=parent
        )
        written.append(parent)
    delete_message(message=own_of(bob, written[1]))
    ann.delete()
    assert not Message.objects.filter(conversation=group).exists()


def test_a_reply_that_comes_back_is_still_a_reply(
    ann: User, group: Conversation, make_user: MakeUser
) -> None:
    dora = make_user("dora")
    insert(Participant(conversation=group, user=dora))
    asked = Message.objects.create(sender=dora, conversation=group, content="well?")
    answer = Message.objects.create(
        sender=ann, conversation=group, content="yes", parent_message=asked
    )
    notifications.mark_message_read(
        message=received_by(dora, answer), reader=UserId(dora.pk)
    )
    notifications.mark_message_unread(
        message=received_by(dora, answer), reader=UserId(dora.pk)
    )
    assert Notification.objects.get(message=answer, user=dora).kind == "reply"


def test_nobody_elsewhere_is_mentioned(
    ann: User, bob: User, message: Message, make_user: MakeUser
) -> None:
    make_user("dora")
    sent = Message.objects.create(sender=ann, receiver=bob, content="@dora @bob")
    assert [one.user for one in sent.notifications.filter(kind="mention")] == [bob]


def test_a_block_stands_in_a_conversation_that_is_open_already(
    ann: User, bob: User, message: Message
) -> None:
    """In both directions, as long as it stands."""
    blocks.block(blocker=bob, blocked=ann)
    for sender, receiver in ((ann, bob), (bob, ann)):
        with pytest.raises(NotDeliverableError):
            Message.objects.create(sender=sender, receiver=receiver, content="no")
    blocks.unblock(blocker=bob, blocked=ann)
    assert Message.objects.create(sender=ann, receiver=bob, content="yes").sequence == 2
