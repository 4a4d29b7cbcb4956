"""Who may see and do what; missing and forbidden are the same refusal."""

from collections.abc import Callable

import pytest

from messaging import access
from messaging.changes import changing, open_change
from messaging.errors import (
    ConversationNotFoundError,
    DeletedMessageError,
    DirectConversationError,
    MessageNotFoundError,
    NotOwnerError,
    NotSenderError,
    OwnMessageError,
)
from messaging.ids import MAX_ID, ConversationId, UserId
from messaging.models import Conversation, Message, User
from messaging.services.messages import delete_message
from messaging.services.participants import remove_participant
from tests.proofs import membership_of, own_of, owned_by, readable_by, received_by
from tests.rows import overwrite

Prove = Callable[[User, Message], Message]


@pytest.fixture
def tombstone(message: Message, ann: User, bob: User) -> Message:
    """Of a message by ann that bob replied to."""
    Message.objects.create(
        sender=bob, receiver=ann, content="reply", parent_message=message
    )
    delete_message(message=own_of(ann, message))
    return message


def test_a_membership_has_the_participants_role(ann: User, group: Conversation) -> None:
    membership = membership_of(ann, group)
    assert (membership.user, membership.conversation, membership.role) == (
        ann,
        group,
        "owner",
    )


def test_a_strangers_conversation_looks_like_a_missing_one(
    cleo: User, message: Message
) -> None:
    refusals = []
    for conversation_id in (message.conversation_id, MAX_ID):
        with pytest.raises(ConversationNotFoundError) as refusal:
            access.membership(
                reader=UserId(cleo.pk), conversation_id=ConversationId(conversation_id)
            )
        refusals.append(str(refusal.value))
    assert refusals[0] == refusals[1]


def test_the_owner_of_a_group_may_change_it(ann: User, group: Conversation) -> None:
    assert owned_by(ann, group) == membership_of(ann, group)


def test_a_member_is_no_owner(bob: User, group: Conversation) -> None:
    with pytest.raises(NotOwnerError):
        owned_by(bob, group)


def test_a_direct_conversation_has_no_owner(ann: User, message: Message) -> None:
    with pytest.raises(DirectConversationError):
        owned_by(ann, message.conversation)


def test_a_stranger_does_not_learn_that_a_group_has_an_owner(
    make_user: Callable[[str], User], group: Conversation
) -> None:
    with pytest.raises(ConversationNotFoundError):
        owned_by(make_user("dora"), group)


def test_both_people_read_a_direct_message(
    ann: User, bob: User, message: Message
) -> None:
    assert readable_by(ann, message).content == "hello"
    assert readable_by(bob, message).content == "hello"


@pytest.mark.parametrize("prove", [readable_by, own_of, received_by])
def test_a_strangers_message_looks_like_a_missing_one(
    prove: Prove, cleo: User, message: Message
) -> None:
    refusals = []
    for unseen in (message, Message(pk=MAX_ID)):
        with pytest.raises(MessageNotFoundError) as refusal:
            prove(cleo, unseen)
        refusals.append(str(refusal.value))
    assert refusals[0] == refusals[1]


def test_only_its_sender_owns_a_message(ann: User, bob: User, message: Message) -> None:
    assert own_of(ann, message) == message
    with pytest.raises(NotSenderError):
        own_of(bob, message)


def test_only_others_receive_a_message(ann: User, bob: User, message: Message) -> None:
    assert received_by(bob, message) == message
    with pytest.raises(OwnMessageError) as refusal:
        received_by(ann, message)
    assert refusal.value.field == "message_id"


@pytest.mark.parametrize("prove", [own_of, received_by])
def test_a_tombstone_is_read_and_nothing_else(
    prove: Prove, ann: User, bob: User, tombstone: Message
) -> None:
    assert readable_by(bob, tombstone).deleted
    for person in (ann, bob):
        with pytest.raises(DeletedMessageError):
            prove(person, tombstone)


def test_a_former_participant_cannot_read(
    ann: User, bob: User, group: Conversation
) -> None:
    message = Message.objects.create(sender=ann, conversation=group, content="secret")
    remove_participant(membership=membership_of(bob, group), username="bob")
    with pytest.raises(MessageNotFoundError):
        readable_by(bob, message)
    with pytest.raises(ConversationNotFoundError):
        membership_of(bob, group)


@pytest.mark.parametrize("exists", [True, False])
def test_a_write_needs_a_current_membership(
    exists: bool, cleo: User, message: Message
) -> None:
    conversation_id = message.conversation_id if exists else MAX_ID
    opened = changing(ConversationId(conversation_id), by=UserId(cleo.pk))
    with pytest.raises(ConversationNotFoundError), opened:
        pytest.fail("opened")


def test_a_lock_shows_the_conversation_as_it_is_now(
    bob: User, message: Message
) -> None:
    before = message.conversation.version
    overwrite(Conversation.objects.all(), version=before + 7)
    conversation_id = ConversationId(message.conversation_id)
    with changing(conversation_id, by=UserId(bob.pk)) as change:
        locked = change.conversation(conversation_id)
    assert locked.version == before + 7


def test_several_conversations_are_locked_by_rising_ids(
    ann: User, group: Conversation, message: Message
) -> None:
    with open_change() as change:
        locked = change.lock_all(
            Conversation.objects.of(UserId(ann.pk)).order_by("-pk")
        )
    assert locked == sorted([group.pk, message.conversation_id])
