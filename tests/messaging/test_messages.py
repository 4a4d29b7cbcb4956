"""Messages: the plain ORM way and the services."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from messaging.errors import (
    BypassError,
    ConversationNotFoundError,
    DeletedMessageError,
    DomainError,
    InvalidContentError,
    MessageNotFoundError,
    SelfMessageError,
    UnknownParentError,
    WrongReceiverError,
)
from messaging.ids import MAX_ID, MessageId
from messaging.models import Conversation, Message, MessageHistory, Notification, User
from messaging.services.messages import (
    delete_message,
    edit_message,
    send_direct_message,
    send_message,
)
from messaging.services.participants import remove_participant
from tests.conftest import RunBeforeQuery
from tests.proofs import membership_of, own_of
from tests.rows import overwrite


def _reply(parent: Message, sender: User, content: str = "reply") -> Message:
    return Message.objects.create(sender=sender, parent_message=parent, content=content)


def test_creating_a_message_is_enough(ann: User, bob: User) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="\n hello ")
    message.refresh_from_db()
    assert (message.sender, message.receiver) == (ann, bob)
    assert (message.content, message.sequence) == (" hello", 1)
    assert (message.read, message.edited, message.deleted) == (False, False, False)
    assert message.conversation.is_direct
    assert bob.notifications.get().message == message
    assert str(message) == " hello"


def test_a_message_from_the_other_side_joins_the_conversation(
    ann: User, bob: User, message: Message
) -> None:
    answer = Message.objects.create(sender=bob, receiver=ann, content="hi")
    assert answer.conversation == message.conversation
    assert answer.sequence == 2


def test_a_message_of_a_direct_conversation_finds_its_receiver(
    ann: User, bob: User, message: Message
) -> None:
    answer = Message.objects.create(
        sender=bob, conversation=message.conversation, content="hi"
    )
    assert answer.receiver == ann


def test_a_reply_finds_its_conversation(bob: User, message: Message) -> None:
    answer = _reply(message, bob)
    assert answer.conversation == message.conversation
    assert answer.parent_message == message
    message.refresh_from_db()
    assert message.reply_count == 1


def test_a_group_message_has_no_receiver(ann: User, group: Conversation) -> None:
    message = Message.objects.create(sender=ann, conversation=group, content="all")
    assert message.receiver is None


def test_each_conversation_counts_for_itself(
    ann: User, group: Conversation, message: Message
) -> None:
    in_group = [
        Message.objects.create(sender=ann, conversation=group, content="x").sequence
        for _ in range(3)
    ]
    assert in_group == [1, 2, 3]
    group.refresh_from_db()
    assert group.last_sequence == 3
    assert message.sequence == 1


def test_a_number_is_never_given_again(ann: User, bob: User, message: Message) -> None:
    delete_message(message=own_of(ann, message))
    again = Message.objects.create(sender=ann, receiver=bob, content="again")
    assert again.sequence == 2


def test_a_message_makes_its_conversation_active(
    ann: User, bob: User, message: Message
) -> None:
    first, moment = (datetime(year, 1, 1, tzinfo=UTC) for year in (2021, 2022))
    overwrite(Conversation.objects.all(), last_activity_at=first)
    for time in (moment, first):
        sent = Message.objects.create(
            sender=ann, receiver=bob, content="x", timestamp=time
        )
        assert sent.timestamp == time
        assert Conversation.objects.get().last_activity_at == moment


def test_a_message_of_the_future_makes_its_conversation_active_now(
    ann: User, bob: User
) -> None:
    moment, before = datetime(2099, 1, 1, tzinfo=UTC), timezone.now()
    message = Message.objects.create(
        sender=ann, receiver=bob, content="x", timestamp=moment
    )
    assert message.timestamp == moment
    assert before < Conversation.objects.get().last_activity_at < timezone.now()


def test_a_message_renews_the_page(bob: User, message: Message) -> None:
    before = Conversation.objects.get().version
    _reply(message, bob)
    assert Conversation.objects.get().version == before + 1


@pytest.mark.parametrize("content", ["", "  ", "x" * 5001, "a\x00"])
def test_refused_content_leaves_nothing(ann: User, bob: User, content: str) -> None:
    with pytest.raises(InvalidContentError):
        Message.objects.create(sender=ann, receiver=bob, content=content)
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()


def test_nobody_writes_to_themselves(ann: User) -> None:
    with pytest.raises(SelfMessageError):
        Message.objects.create(sender=ann, receiver=ann, content="x")
    assert not Message.objects.exists()


def test_a_message_goes_somewhere(ann: User) -> None:
    with pytest.raises(WrongReceiverError):
        Message.objects.create(sender=ann, content="x")


def test_a_message_has_a_sender(bob: User) -> None:
    with pytest.raises(BypassError):
        Message.objects.create(receiver=bob, content="x")
    assert not Message.objects.exists()


def test_a_receiver_is_the_other_person(
    ann: User, cleo: User, message: Message, group: Conversation
) -> None:
    for conversation in (message.conversation, group):
        with pytest.raises(WrongReceiverError):
            Message.objects.create(
                sender=ann, receiver=cleo, conversation=conversation, content="x"
            )
    assert Message.objects.get() == message


def test_a_stranger_sends_nothing(cleo: User, message: Message) -> None:
    with pytest.raises(ConversationNotFoundError):
        Message.objects.create(
            sender=cleo, conversation=message.conversation, content="x"
        )
    with pytest.raises(ConversationNotFoundError):
        _reply(message, cleo)
    assert Message.objects.get() == message


def test_a_participant_who_left_concurrently_sends_nothing(
    bob: User, group: Conversation
) -> None:
    proof = membership_of(bob, group)
    remove_participant(membership=proof, username="bob")
    with pytest.raises(ConversationNotFoundError):
        send_message(membership=proof, content="x", parent_id=None)
    assert not Message.objects.exists()


def test_a_parent_is_of_the_same_conversation(
    ann: User, message: Message, group: Conversation
) -> None:
    for parent_id in (message.pk, MAX_ID):
        with pytest.raises(UnknownParentError) as refusal:
            send_message(
                membership=membership_of(ann, group),
                content="x",
                parent_id=MessageId(parent_id),
            )
        assert refusal.value.field == "parent_message_id"
    assert Message.objects.get() == message
    group.refresh_from_db()
    assert group.last_sequence == 0


def test_a_reply_to_an_unknown_message_is_refused(ann: User) -> None:
    with pytest.raises(UnknownParentError):
        Message.objects.create(sender=ann, parent_message_id=MAX_ID, content="x")


def test_nobody_replies_to_a_tombstone(ann: User, bob: User, message: Message) -> None:
    _reply(message, bob)
    delete_message(message=own_of(ann, message))
    with pytest.raises(DeletedMessageError):
        _reply(message, ann)
    assert Message.objects.count() == 2


def test_sending_shows_the_message_as_it_is_kept(
    ann: User, bob: User, group: Conversation
) -> None:
    in_group = send_message(
        membership=membership_of(ann, group), content="\nall ", parent_id=None
    )
    direct = send_direct_message(
        sender=ann, receiver=bob, content="\nyou ", parent_id=None
    )
    assert (in_group.content, in_group.receiver) == ("all", None)
    assert direct.content == "you"
    assert direct.receiver is not None
    assert direct.receiver.pk == bob.pk


def test_a_new_message_overwrites_none_that_has_its_id(ann: User, bob: User) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="hello")
    before = Message.objects.values().get(pk=message.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message(pk=message.pk, sender=bob, receiver=ann, content="mine").save()
    assert Message.objects.values().get(pk=message.pk) == before


def test_an_edit_changes_content_and_mark_and_nothing_else(
    ann: User, bob: User, message: Message
) -> None:
    _reply(message, bob)
    before = Message.objects.values().get(pk=message.pk)
    edited = edit_message(message=own_of(ann, message), content="\n\nhi ")
    after = Message.objects.values().get(pk=message.pk)
    assert after == {
        **before,
        "content": "hi",
        "edited": True,
        "content_version": 2,
    }
    assert (edited.content, edited.edited) == ("hi", True)


def test_an_edit_notifies_nobody(ann: User, bob: User, message: Message) -> None:
    overwrite(bob.notifications.all(), is_read=True)
    edit_message(message=own_of(ann, message), content="hi @bob")
    assert bob.notifications.get().is_read


def test_an_edit_renews_the_page(ann: User, message: Message) -> None:
    before = Conversation.objects.get().version
    edit_message(message=own_of(ann, message), content="hi")
    assert Conversation.objects.get().version == before + 1


def test_an_edit_to_the_same_content_changes_nothing(
    ann: User, message: Message
) -> None:
    before = Conversation.objects.get().version
    edited = edit_message(message=own_of(ann, message), content="\r\nhello ")
    assert not edited.edited
    assert not Message.objects.get().edited
    assert Conversation.objects.get().version == before


@pytest.mark.parametrize("content", [" ", "x" * 5001, "\ud800"])
def test_a_refused_edit_changes_nothing(
    ann: User, message: Message, content: str
) -> None:
    with pytest.raises(InvalidContentError):
        edit_message(message=own_of(ann, message), content=content)
    stored = Message.objects.get()
    assert (stored.content, stored.edited) == ("hello", False)
    assert not MessageHistory.objects.exists()


@pytest.mark.parametrize(
    ("replied", "error"), [(True, DeletedMessageError), (False, MessageNotFoundError)]
)
def test_a_message_deleted_concurrently_is_not_edited(
    ann: User, bob: User, message: Message, replied: bool, error: type[DomainError]
) -> None:
    if replied:
        _reply(message, bob)
    editing, deleting = own_of(ann, message), own_of(ann, message)
    delete_message(message=own_of(ann, message))
    with pytest.raises(error):
        edit_message(message=editing, content="back")
    with pytest.raises(error):
        delete_message(message=deleting)
    assert not Message.objects.filter(content="back").exists()
    assert not MessageHistory.objects.exists()


def test_a_participant_who_left_concurrently_cannot_edit(
    bob: User, group: Conversation
) -> None:
    sent = Message.objects.create(sender=bob, conversation=group, content="x")
    proof = own_of(bob, sent)
    remove_participant(membership=membership_of(bob, group), username="bob")
    with pytest.raises(MessageNotFoundError):
        edit_message(message=proof, content="y")
    with pytest.raises(MessageNotFoundError):
        delete_message(message=proof)
    assert Message.objects.get().content == "x"


def test_deleting_leaves_nothing_of_a_message(
    ann: User, bob: User, message: Message
) -> None:
    edit_message(message=own_of(ann, message), content="hi")
    before = Conversation.objects.get().version
    delete_message(message=own_of(ann, message))
    assert not Message.objects.exists()
    assert not MessageHistory.objects.exists()
    assert not Notification.objects.exists()
    assert Conversation.objects.get().version == before + 1


def test_a_deleted_message_with_replies_becomes_a_tombstone(
    ann: User, bob: User, message: Message
) -> None:
    reply = _reply(message, bob)
    edit_message(message=own_of(ann, message), content="hi")
    delete_message(message=own_of(ann, message))
    tomb = Message.objects.get(pk=message.pk)
    assert tomb.deleted
    assert (tomb.content, tomb.sender, tomb.receiver) == ("", None, None)
    assert (tomb.read, tomb.edited) == (True, False)
    assert (tomb.sequence, tomb.reply_count) == (1, 1)
    assert not tomb.history.exists()
    assert not tomb.notifications.exists()
    assert Message.objects.get(pk=reply.pk).parent_message == tomb


def test_a_tombstone_goes_with_the_last_reply_below_it(
    ann: User, bob: User, message: Message
) -> None:
    one, two = _reply(message, bob), _reply(message, bob)
    delete_message(message=own_of(ann, message))
    delete_message(message=own_of(bob, one))
    assert Message.objects.get(pk=message.pk).reply_count == 1
    delete_message(message=own_of(bob, two))
    assert not Message.objects.exists()


def test_a_chain_of_tombstones_goes_with_the_message_at_its_end(
    ann: User, message: Message
) -> None:
    chain = [_reply(message, ann)]
    for _ in range(3):
        chain.append(_reply(chain[-1], ann))
    for link in chain[:-1]:
        delete_message(message=own_of(ann, link))
    assert Message.objects.filter(sender=None).count() == 3
    delete_message(message=own_of(ann, chain[-1]))
    assert Message.objects.get() == message
    assert Message.objects.get().reply_count == 0


def test_no_chain_of_tombstones_is_too_long(ann: User, message: Message) -> None:
    first = 10_000_000
    rows: QuerySet[Message] = QuerySet(Message)
    rows.bulk_create(
        Message(
            pk=first + number,
            conversation=message.conversation,
            sequence=first + number,
            parent_message_id=first + number - 1 if number else message.pk,
            reply_count=1,
        )
        for number in range(1200)
    )
    overwrite(Message.objects.filter(pk=message.pk), reply_count=1)
    tip = Message.objects.get(pk=first + 1199)
    rows.filter(pk=tip.pk).update(sender=ann, content="tip", reply_count=0)
    delete_message(message=own_of(ann, tip))
    assert Message.objects.get() == message
    assert Message.objects.get().reply_count == 0


def test_a_chain_of_tombstones_goes_up_to_what_is_still_needed(
    ann: User, message: Message
) -> None:
    fork = _reply(message, ann)
    branch, kept = _reply(fork, ann), _reply(fork, ann, "kept")
    tip = _reply(branch, ann)
    for deleted in (fork, branch, tip):
        delete_message(message=own_of(ann, deleted))
    left = dict(Message.objects.values_list("pk", "reply_count"))
    assert left == {message.pk: 1, fork.pk: 1, kept.pk: 0}


def test_a_message_above_keeps_its_place(ann: User, message: Message) -> None:
    middle = _reply(message, ann)
    tip = _reply(middle, ann)
    delete_message(message=own_of(ann, tip))
    left = dict(Message.objects.values_list("pk", "reply_count"))
    assert left == {message.pk: 1, middle.pk: 0}


@pytest.mark.parametrize("name", ["read", "sequence", "sender", "reply_count"])
def test_derived_fields_cannot_be_saved(bob: User, message: Message, name: str) -> None:
    before = Message.objects.values().get()
    message.read = True
    message.sender = bob
    message.sequence = message.reply_count = 7
    with pytest.raises(BypassError, match=name):
        message.save(update_fields=[name, "content"])
    message.save()
    assert Message.objects.values().get() == before


def test_a_save_that_fails_keeps_no_history(
    message: Message, run_before_query: RunBeforeQuery
) -> None:
    message.content = "hi"
    with (
        run_before_query(_fail, before='UPDATE "messaging_message" SET'),
        pytest.raises(RuntimeError),
    ):
        message.save()
    assert Message.objects.get().content == "hello"
    assert not MessageHistory.objects.exists()
    assert not Message.objects.get().edited


def _fail() -> None:
    raise RuntimeError


@pytest.mark.parametrize("length", [60, 61])
def test_a_preview_is_a_line_of_at_most_60_characters(length: int) -> None:
    preview = Message(content="x" * length).content_preview
    assert preview == ("x" * 60 if length == 60 else "x" * 59 + "…")


@pytest.mark.parametrize("name", ["edited", "timestamp"])
def test_a_mark_or_time_alone_is_not_saved(message: Message, name: str) -> None:
    before = Message.objects.values().get()
    message.edited = True
    message.timestamp = datetime(2031, 1, 1, tzinfo=UTC)
    message.save(update_fields=[name])
    assert Message.objects.values().get() == before


def test_saving_a_stale_message_unchanged_reverts_nothing(
    ann: User, message: Message
) -> None:
    stale = Message.objects.get(pk=message.pk)
    edit_message(message=own_of(ann, message), content="newer")
    stale.read = True
    stale.save()
    assert Message.objects.get(pk=message.pk).content == "newer"
    assert message.history.count() == 1


def test_saving_a_message_whose_content_was_not_loaded_edits_nothing(
    message: Message,
) -> None:
    Message.objects.defer("content").get(pk=message.pk).save()
    assert message.history.count() == 0


def test_a_refreshed_message_knows_its_content(ann: User, message: Message) -> None:
    edit_message(message=own_of(ann, message), content="newer")
    message.refresh_from_db()
    message.save()
    message.content = "newest"
    message.save()
    kept = message.history.order_by("version").values_list("old_content", flat=True)
    assert list(kept) == ["hello", "newer"]


def test_derived_fields_are_not_taken_from_the_caller(ann: User, bob: User) -> None:
    sent = Message.objects.create(
        sender=ann,
        receiver=bob,
        content="hello",
        read=True,
        edited=True,
        content_version=5,
        reply_count=7,
    )
    stored = Message.objects.get(pk=sent.pk)
    assert (stored.read, stored.edited) == (False, False)
    assert (stored.content_version, stored.reply_count) == (1, 0)
