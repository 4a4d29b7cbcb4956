"""Who is notified of what, and what is still unread."""

from collections.abc import Iterable
from itertools import count

import pytest
from django.db import connection

from messaging.changes import open_change
from messaging.errors import (
    DeletedMessageError,
    DomainError,
    InvalidCursorError,
    InvalidError,
    MessageNotFoundError,
    NotificationNotFoundError,
)
from messaging.ids import MAX_ID, MessageId, NotificationId, Sequence, UserId
from messaging.models import Conversation, Message, Notification, Participant, User
from messaging.projections import MessageProjection
from messaging.sequence_ranges import SequenceRange
from messaging.services.events import read_log
from messaging.services.inbox import inbox_summary, mark_inbox_read, unread_messages
from messaging.services.messages import delete_message, edit_message
from messaging.services.notification_lists import notification_page
from messaging.services.notifications import (
    MOST_TAKEN_BACK,
    FirstUnread,
    first_unread,
    mark_message_read,
    mark_message_unread,
    mark_notification_read,
    mark_ranges_read,
    mark_ranges_unread,
)
from messaging.services.participants import put_participant, remove_participant
from messaging.services.receipts import receipt_page
from tests.conftest import Execute, MakeUser, RunBeforeQuery
from tests.proofs import membership_of, own_of, owned_by, readable_by, received_by
from tests.reading import read_up_to


def _read(reader: User, message: Message) -> None:
    mark_message_read(message=received_by(reader, message), reader=UserId(reader.pk))


def _unread(reader: User, message: Message) -> None:
    mark_message_unread(message=received_by(reader, message), reader=UserId(reader.pk))


def _kinds(message: Message) -> dict[str, str]:
    return dict(message.notifications.values_list("user__username", "kind"))


def _inbox(reader: User) -> list[Message]:
    return _messages(unread_messages(reader=reader, cursor=None, limit=50).page.items)


def _messages(shown: Iterable[MessageProjection]) -> list[Message]:
    return [Message.objects.get(pk=message.pk) for message in shown]


def _assert_read_means_nobody_is_left() -> None:
    for message in Message.objects.all():
        pending = message.notifications.filter(is_read=False).exists()
        assert message.read is not pending


@pytest.fixture
def notified_message(ann: User, group: Conversation) -> Message:
    """From ann to bob and cleo."""
    return Message.objects.create(sender=ann, conversation=group, content="news")


def test_everyone_but_the_sender_is_notified(notified_message: Message) -> None:
    assert _kinds(notified_message) == {"bob": "message", "cleo": "message"}


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        ("hi @BOB.", {"bob": "mention", "cleo": "message"}),
        ("@cleo and @bob", {"bob": "mention", "cleo": "mention"}),
        ("@dora @ann bob@cleo", {"bob": "message", "cleo": "message"}),
    ],
)
def test_a_mention_is_of_a_participant(
    ann: User,
    group: Conversation,
    make_user: MakeUser,
    content: str,
    kinds: dict[str, str],
) -> None:
    make_user("dora")
    message = Message.objects.create(sender=ann, conversation=group, content=content)
    assert _kinds(message) == kinds


@pytest.mark.parametrize(("content", "kind"), [("yes", "reply"), ("@ann", "mention")])
def test_a_reply_notification_goes_to_the_parents_sender(
    bob: User, notified_message: Message, content: str, kind: str
) -> None:
    reply = Message.objects.create(
        sender=bob, parent_message=notified_message, content=content
    )
    assert _kinds(reply) == {"ann": kind, "cleo": "message"}


def test_an_answer_to_oneself_is_a_message_to_the_others(
    ann: User, notified_message: Message
) -> None:
    reply = Message.objects.create(
        sender=ann, parent_message=notified_message, content="and"
    )
    assert _kinds(reply) == {"bob": "message", "cleo": "message"}


def test_a_new_notification_is_loud_and_unread(bob: User, message: Message) -> None:
    notification = bob.notifications.get()
    assert (notification.is_read, notification.silent) == (False, False)
    assert notification.conversation == message.conversation
    assert str(notification) == f"message for {bob.pk}"


def test_within_one_change_a_message_notifies_who_takes_part_by_then(
    ann: User, bob: User, group: Conversation
) -> None:
    participants = Participant.objects.filter(conversation=group)

    def send() -> Message:
        return Message.objects.create(sender=ann, conversation=group, content="Hello.")

    with open_change() as change:
        first = send()
        change.update(participants.filter(user=bob), muted=True)
        second = send()
        change.erase(participants.exclude(user__in=[ann, bob]))
        third = send()
    found = Notification.objects.filter(message__in=[first, second, third])
    rows = found.order_by("message", "user").values_list(
        "message", "user__username", "silent"
    )
    assert [*rows] == [
        (first.pk, "bob", False),
        (first.pk, "cleo", False),
        (second.pk, "bob", True),
        (second.pk, "cleo", False),
        (third.pk, "bob", True),
    ]


def test_a_message_to_nobody_counts_as_read(ann: User, group: Conversation) -> None:
    for username in ("bob", "cleo"):
        remove_participant(membership=membership_of(ann, group), username=username)
    message = Message.objects.create(sender=ann, conversation=group, content="echo")
    assert message.read
    assert Message.objects.get().read
    assert not Notification.objects.exists()


def test_a_message_is_read_when_its_last_reader_read_it(
    bob: User, cleo: User, notified_message: Message, group: Conversation
) -> None:
    versions = []
    for reader in (bob, cleo):
        _read(reader, notified_message)
        _assert_read_means_nobody_is_left()
        group.refresh_from_db()
        versions.append(group.version)
    assert Message.objects.get().read
    assert versions[1] == versions[0] + 1


def test_reading_again_changes_nothing(bob: User, message: Message) -> None:
    _read(bob, message)
    before = Conversation.objects.get().version
    _read(bob, message)
    assert Conversation.objects.get().version == before
    assert not bob.notifications.exists()


def test_of_what_was_read_only_mentions_and_replies_are_kept(
    bob: User, cleo: User, notified_message: Message
) -> None:
    sent = [
        Message.objects.create(
            sender=bob, parent_message=notified_message, content=content
        )
        for content in ("ordinary", "for @cleo")
    ]
    for message in (notified_message, *sent):
        _read(cleo, message)
    assert [row.message for row in cleo.notifications.all()] == [sent[1]]


def test_marking_unread_brings_a_message_back(bob: User, message: Message) -> None:
    _read(bob, message)
    assert _inbox(bob) == []
    before = Conversation.objects.get().version
    _unread(bob, message)
    assert _inbox(bob) == [message]
    assert not Message.objects.get().read
    assert Conversation.objects.get().version == before + 1


def test_marking_unread_what_is_unread_changes_nothing(
    bob: User, message: Message
) -> None:
    before = Conversation.objects.get().version
    _unread(bob, message)
    assert Conversation.objects.get().version == before
    assert bob.notifications.count() == 1


def test_a_message_comes_back_to_its_old_place(
    ann: User, bob: User, message: Message
) -> None:
    later = Message.objects.create(sender=ann, receiver=bob, content="later")
    _read(bob, message)
    _unread(bob, message)
    assert _inbox(bob) == [later, message]


@pytest.mark.parametrize(
    ("content", "kind"), [("old", "message"), ("for @dora", "mention")]
)
def test_who_joined_later_may_mark_an_old_message_unread(
    ann: User,
    group: Conversation,
    make_user: MakeUser,
    content: str,
    kind: str,
) -> None:
    dora = make_user("dora")
    old = Message.objects.create(sender=ann, conversation=group, content=content)
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    _unread(dora, old)
    assert _inbox(dora) == [old]
    assert dora.notifications.get().kind == kind
    _assert_read_means_nobody_is_left()


def test_a_reply_marked_unread_by_a_latecomer_is_no_reply_to_them(
    ann: User,
    bob: User,
    notified_message: Message,
    group: Conversation,
    make_user: MakeUser,
) -> None:
    dora = make_user("dora")
    reply = Message.objects.create(
        sender=bob, parent_message=notified_message, content="yes"
    )
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    _unread(dora, reply)
    assert dora.notifications.get().kind == "message"


def test_a_participant_who_left_concurrently_gets_no_notification_back(
    bob: User, notified_message: Message, group: Conversation
) -> None:
    proof = received_by(bob, notified_message)
    remove_participant(membership=membership_of(bob, group), username="bob")
    with pytest.raises(MessageNotFoundError):
        mark_message_unread(message=proof, reader=UserId(bob.pk))
    mark_message_read(message=proof, reader=UserId(bob.pk))
    assert not bob.notifications.exists()


@pytest.mark.parametrize(
    ("replied", "error"), [(True, DeletedMessageError), (False, MessageNotFoundError)]
)
def test_a_message_deleted_concurrently_is_not_marked_unread(
    ann: User, bob: User, message: Message, replied: bool, error: type[DomainError]
) -> None:
    if replied:
        Message.objects.create(sender=bob, parent_message=message, content="x")
    proof = received_by(bob, message)
    delete_message(message=own_of(ann, message))
    with pytest.raises(error):
        mark_message_unread(message=proof, reader=UserId(bob.pk))
    assert not bob.notifications.exists()


def test_leaving_forgets_what_was_unread_there(
    bob: User, notified_message: Message, message: Message, group: Conversation
) -> None:
    assert set(_inbox(bob)) == {notified_message, message}
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert bob.notifications.get().message == message


def test_a_message_that_only_the_leaver_had_not_read_is_read(
    bob: User, cleo: User, notified_message: Message, group: Conversation
) -> None:
    _read(cleo, notified_message)
    before = Conversation.objects.get().version
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert Message.objects.get().read
    assert Conversation.objects.get().version > before
    _assert_read_means_nobody_is_left()


def test_a_message_that_others_have_not_read_stays_unread_when_one_leaves(
    bob: User, notified_message: Message, group: Conversation
) -> None:
    remove_participant(membership=membership_of(bob, group), username="bob")
    assert not Message.objects.get().read
    _assert_read_means_nobody_is_left()


def test_a_conversation_is_read_up_to_a_message_and_no_further(
    ann: User, bob: User, cleo: User, group: Conversation, message: Message
) -> None:
    sent = [
        Message.objects.create(sender=ann, conversation=group, content=str(number))
        for number in range(3)
    ]
    read_up_to(membership=membership_of(bob, group), up_to=Sequence(2))
    assert _inbox(bob) == [sent[2], message]
    assert len(_inbox(cleo)) == 3
    _assert_read_means_nobody_is_left()
    read_up_to(membership=membership_of(cleo, group), up_to=Sequence(MAX_ID))
    assert list(Message.objects.filter(read=True).order_by("pk")) == [
        sent[0],
        sent[1],
    ]
    _assert_read_means_nobody_is_left()


def test_an_inbox_is_cleared_of_what_had_arrived(
    ann: User, bob: User, message: Message, notified_message: Message
) -> None:
    seen = unread_messages(reader=bob, cursor=None, limit=1)
    later = Message.objects.create(sender=ann, receiver=bob, content="later")
    mark_inbox_read(reader=UserId(bob.pk), up_to=seen.up_to)
    assert _inbox(bob) == [later]
    _assert_read_means_nobody_is_left()


def test_a_summary_clears_what_it_counted(
    ann: User, bob: User, message: Message
) -> None:
    summary = inbox_summary(reader=UserId(bob.pk))
    later = Message.objects.create(sender=ann, receiver=bob, content="later")
    mark_inbox_read(reader=UserId(bob.pk), up_to=summary.up_to)
    assert _inbox(bob) == [later]


def test_a_summary_counts_just_what_its_up_to_covers(
    ann: User, bob: User, message: Message, run_before_query: RunBeforeQuery
) -> None:
    def send() -> None:
        Message.objects.create(sender=ann, receiver=bob, content="meanwhile")

    with run_before_query(send, before="COUNT"):
        summary = inbox_summary(reader=UserId(bob.pk))
    assert summary.unread_count == 2
    Message.objects.create(sender=ann, receiver=bob, content="later")
    mark_inbox_read(reader=UserId(bob.pk), up_to=summary.up_to)
    assert [unread.content for unread in _inbox(bob)] == ["later"]


def test_clearing_an_inbox_clears_no_one_elses(
    bob: User, cleo: User, notified_message: Message
) -> None:
    up_to = unread_messages(reader=bob, cursor=None, limit=5).up_to
    mark_inbox_read(reader=UserId(bob.pk), up_to=up_to)
    assert _inbox(cleo) == [notified_message]


def test_only_an_up_to_clears_an_inbox(ann: User, bob: User, message: Message) -> None:
    Message.objects.create(sender=ann, receiver=bob, content="more")
    page = unread_messages(reader=bob, cursor=None, limit=1).page
    for up_to in ("x", page.next_cursor or ""):
        with pytest.raises(InvalidCursorError) as refusal:
            mark_inbox_read(reader=UserId(bob.pk), up_to=up_to)
        assert refusal.value.field == "up_to"
    assert len(_inbox(bob)) == 2


def test_a_summary_counts_messages_mentions_and_conversations(
    ann: User, bob: User, cleo: User, group: Conversation, message: Message
) -> None:
    for content in ("one", "two @bob"):
        Message.objects.create(sender=ann, conversation=group, content=content)

    def counts(reader: User) -> tuple[int, int, int]:
        summary = inbox_summary(reader=UserId(reader.pk))
        return summary.unread_count, summary.mention_count, summary.conversation_count

    assert counts(ann) == (0, 0, 0)
    assert counts(bob) == (3, 1, 2)
    assert counts(cleo) == (2, 0, 1)
    _read(bob, message)
    assert counts(bob) == (2, 1, 1)


def test_an_inbox_goes_on_after_a_page(ann: User, bob: User, message: Message) -> None:
    sent = [message] + [
        Message.objects.create(sender=ann, receiver=bob, content=str(number))
        for number in range(4)
    ]
    found: list[Message] = []
    cursor = None
    for _ in range(3):
        page = unread_messages(reader=bob, cursor=cursor, limit=2).page
        found += _messages(page.items)
        cursor = page.next_cursor
    assert found == sent[::-1]
    assert cursor is None
    with pytest.raises(InvalidCursorError):
        unread_messages(reader=bob, cursor="x", limit=2)


def test_deleting_a_message_takes_its_notifications(
    ann: User, bob: User, message: Message
) -> None:
    delete_message(message=own_of(ann, message))
    assert _inbox(bob) == []
    assert inbox_summary(reader=UserId(bob.pk)).unread_count == 0


def test_a_notification_and_its_message_are_read_together(
    bob: User, message: Message
) -> None:
    for _ in range(2):
        mark_notification_read(
            reader=UserId(bob.pk), notification_id=NotificationId(message.pk)
        )
        assert not bob.notifications.exists()
        assert Message.objects.get().read


def test_nobody_reads_anothers_notification(
    ann: User, bob: User, message: Message
) -> None:
    for notification_id in (message.pk, MAX_ID):
        with pytest.raises(NotificationNotFoundError):
            mark_notification_read(
                reader=UserId(ann.pk), notification_id=NotificationId(notification_id)
            )
    assert not bob.notifications.get().is_read


def test_notifications_are_listed_newest_first_and_read_mentions_too(
    ann: User, bob: User
) -> None:
    message = Message.objects.create(sender=ann, receiver=bob, content="@bob")
    _read(bob, message)
    for number in range(2):
        Message.objects.create(sender=ann, receiver=bob, content=str(number))
    first = notification_page(reader=UserId(bob.pk), cursor=None, limit=2)
    rest = notification_page(reader=UserId(bob.pk), cursor=first.next_cursor, limit=2)
    assert [row.message.content for row in first.items] == ["1", "0"]
    assert [(row.message.id, row.is_read) for row in rest.items] == [(message.pk, True)]
    assert rest.next_cursor is None
    with pytest.raises(InvalidCursorError):
        notification_page(reader=UserId(bob.pk), cursor="x", limit=2)


def test_reading_goes_on_at_the_first_unread_message_of_the_conversation(
    ann: User, bob: User, cleo: User, notified_message: Message
) -> None:
    messages = [
        Message.objects.create(sender=ann, receiver=bob, content=content)
        for content in ("first", "second")
    ]
    assert messages[0].conversation != notified_message.conversation
    anns, bobs = (membership_of(user, messages[0].conversation) for user in (ann, bob))
    assert first_unread(membership=anns) is None
    for message in messages:
        assert first_unread(membership=bobs) == _place_of(message)
        _read(bob, message)
    assert first_unread(membership=bobs) is None
    cleos = membership_of(cleo, notified_message.conversation)
    assert first_unread(membership=cleos) == _place_of(notified_message)


def _place_of(message: Message) -> FirstUnread:
    return FirstUnread(MessageId(message.pk), Sequence(message.sequence))


def test_receipts_list_who_has_read_a_message(
    ann: User, bob: User, cleo: User, notified_message: Message
) -> None:
    _read(cleo, notified_message)
    readable = readable_by(ann, notified_message)
    first = receipt_page(message=readable, cursor=None, limit=1)
    rest = receipt_page(message=readable, cursor=first.next_cursor, limit=1)
    assert [(row.user.id, row.read) for row in first.items] == [(bob.pk, False)]
    assert [(row.user.id, row.read) for row in rest.items] == [(cleo.pk, True)]
    assert rest.next_cursor is None
    with pytest.raises(InvalidCursorError):
        receipt_page(message=readable, cursor="x", limit=1)


def test_what_was_read_by_ranges_is_taken_back_exactly(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    sent = [
        Message.objects.create(sender=ann, conversation=group, content=f"{number}")
        for number in range(6)
    ]
    spans = [(1, 2), (4, 4), (6, 9)]
    ranges = [SequenceRange(Sequence(one), Sequence(two)) for one, two in spans]
    for reader in (bob, cleo):
        membership = membership_of(reader, group)
        mark_ranges_read(
            membership=membership, ranges=[SequenceRange(Sequence(1), Sequence(6))]
        )
    mark_ranges_unread(membership=membership_of(bob, group), ranges=ranges)
    back = [sent[0], sent[1], sent[3], sent[5]]
    assert _inbox(bob) == back[::-1]
    assert _inbox(cleo) == []
    unread = Message.objects.filter(read=False).order_by("sequence")
    assert list(unread) == back


def test_no_more_is_taken_back_at_once_than_a_transaction_bears(
    group: Conversation, ann: User, bob: User
) -> None:
    many = SequenceRange(Sequence(1), Sequence(MOST_TAKEN_BACK + 1))
    with pytest.raises(InvalidError):
        mark_ranges_unread(membership=membership_of(bob, group), ranges=[many])


def test_up_to_covers_what_was_edited_while_it_was_counted(
    ann: User, bob: User, group: Conversation
) -> None:
    message = Message.objects.create(sender=ann, conversation=group, content="Draft 0")
    read_log()
    versions = count(1)

    def edit_first(
        execute: Execute,
        statement: str,
        parameters: object,
        many: bool,
        context: dict[str, object],
    ) -> object:
        if '"waiting"' in statement:
            edit_message(
                message=own_of(ann, message), content=f"Draft {next(versions)}"
            )
        return execute(statement, parameters, many, context)

    # On PostgreSQL the edit has no position yet, and the notification has one.
    with connection.execute_wrapper(edit_first):
        summary = inbox_summary(reader=UserId(bob.pk))
    assert next(versions) > 1
    assert summary.unread_count == 1
    mark_inbox_read(reader=UserId(bob.pk), up_to=summary.up_to)
    assert not bob.notifications.exists()
