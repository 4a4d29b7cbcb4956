"""Writes without a bound are done in batches, and others write in between."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.core.management import call_command
from django.db.models import F, QuerySet
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from messaging.database import BATCH_SIZE
from messaging.erasure import erased
from messaging.errors import NotOwnerError
from messaging.ids import ConversationId, Sequence, UserId
from messaging.models import (
    Conversation,
    Event,
    IdempotencyKey,
    Message,
    MessageHistory,
    Notification,
    User,
)
from messaging.models.messages import TOMBSTONE
from messaging.services.consistency import find_inconsistencies
from messaging.services.events import read_log
from messaging.services.inbox import inbox_summary, mark_inbox_read
from messaging.services.participants import put_participant, remove_participant
from tests.conftest import ClientOf
from tests.proofs import membership_of, owned_by
from tests.reading import read_up_to
from tests.rows import overwrite
from tests.transactions import watch_transactions

# Rows of all tables that a batch changes: its notifications, their messages, a few more.
MOST = 3 * BATCH_SIZE

pytestmark = pytest.mark.django_db


def _unread(
    group: Conversation, sender: User, receivers: list[User], count: int
) -> None:
    """Messages to these people, in a chain of replies, past the signals: quickly."""
    first = group.last_sequence + 1
    root = Message.objects.create(conversation=group, sender=sender, content="first")
    plain: QuerySet[Message] = QuerySet(Message)
    rows = plain.bulk_create(
        Message(
            conversation=group,
            sequence=first + number,
            sender=sender,
            content=f"{number}",
            reply_count=int(number < count - 1),
        )
        for number in range(1, count)
    )
    plain.filter(pk__gt=root.pk).update(parent_message_id=F("pk") - 1)
    plain.filter(pk=root.pk).update(reply_count=1)
    group.last_sequence = first + count - 1
    overwrite(
        Conversation.objects.filter(pk=group.pk), last_sequence=group.last_sequence
    )
    position = read_log().clock
    notifications: QuerySet[Notification] = QuerySet(Notification)
    notifications.bulk_create(
        [
            Notification(
                user=receiver,
                message=message,
                conversation=group,
                kind="message",
                position=position,
            )
            for message in rows
            for receiver in receivers
        ]
    )


def _assert_consistent() -> None:
    assert list(find_inconsistencies()) == []


@pytest.mark.parametrize("batches", [2, 5])
def test_marking_many_read_is_no_long_transaction(
    group: Conversation, ann: User, bob: User, client_of: ClientOf, batches: int
) -> None:
    _unread(group, ann, [bob], batches * BATCH_SIZE)
    bobs, left = client_of(bob), []

    def look() -> None:
        _assert_consistent()
        left.append(bobs.get("/inbox/summary").number("unread_count"))
        assert Notification.objects.of(UserId(bob.pk)).unread().count() == left[-1]

    with watch_transactions(between=look) as seen:
        bobs.put(
            f"/conversations/{group.pk}/read",
            {"up_to_sequence": group.last_sequence},
        )
    assert seen.longest <= MOST
    assert left == [
        batches * BATCH_SIZE - done * BATCH_SIZE for done in range(1, batches)
    ]
    assert bobs.get("/inbox/summary").number("unread_count") == 0
    # Cleo was never notified of the ones made in bulk.
    assert Message.objects.filter(read=False).count() == 1


def test_the_inbox_is_cleared_in_batches_over_conversations(
    group: Conversation, ann: User, bob: User, message: Message, client_of: ClientOf
) -> None:
    _unread(group, ann, [bob], 2 * BATCH_SIZE)
    bobs = client_of(bob)
    up_to = bobs.get("/inbox").text("up_to")
    with watch_transactions(between=_assert_consistent) as seen:
        bobs.put("/inbox/read", {"up_to": up_to})
    assert (len(seen.rows), seen.longest <= MOST) == (3, True)
    assert bobs.get("/inbox").items == []


def test_others_write_between_two_batches(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    """And what arrives then stays unread, in the inbox's case."""
    _unread(group, ann, [bob], 2 * BATCH_SIZE)
    up_to = inbox_summary(reader=UserId(bob.pk)).up_to
    with watch_transactions(
        between=lambda: Message.objects.create(
            conversation=group, sender=cleo, content="in between"
        )
    ):
        mark_inbox_read(reader=UserId(bob.pk), up_to=up_to)
    assert inbox_summary(reader=UserId(bob.pk)).unread_count == 1
    _assert_consistent()


def test_the_events_of_the_batches_are_one_range_in_order(
    group: Conversation, ann: User, bob: User
) -> None:
    _unread(group, ann, [bob], 2 * BATCH_SIZE + 3)
    read_up_to(
        membership=membership_of(bob, group), up_to=Sequence(group.last_sequence)
    )
    ranges = list(
        Event.objects.filter(type="message.read", user=bob)
        .order_by("position")
        .values_list("first_sequence", "last_sequence")
    )
    assert len(ranges) == 3
    assert (ranges[0][0], ranges[-1][1]) == (1, group.last_sequence)
    for (_, last), (first, _) in pairwise(ranges):
        assert first == (last or 0) + 1


def test_an_interrupted_marking_read_is_finished_by_a_retry(
    group: Conversation, ann: User, bob: User
) -> None:
    _unread(group, ann, [bob], 2 * BATCH_SIZE)
    with pytest.raises(ZeroDivisionError), watch_transactions(lambda: 1 / 0):
        _mark_all(bob, group)
    assert inbox_summary(reader=UserId(bob.pk)).unread_count == BATCH_SIZE
    _assert_consistent()
    _mark_all(bob, group)
    assert inbox_summary(reader=UserId(bob.pk)).unread_count == 0
    assert Event.objects.filter(type="message.read").count() == 2


def test_marking_nothing_read_writes_nothing(group: Conversation, bob: User) -> None:
    read_log()
    with watch_transactions() as seen:
        _mark_all(bob, group)
    assert seen.rows == []


def _mark_all(reader: User, group: Conversation) -> None:
    up_to = Sequence(group.last_sequence)
    read_up_to(membership=membership_of(reader, group), up_to=up_to)


def test_leaving_deletes_notifications_in_batches(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    _unread(group, ann, [bob], 3 * BATCH_SIZE)
    with watch_transactions(between=_assert_consistent) as seen:
        remove_participant(membership=membership_of(bob, group), username="bob")
    assert (len(seen.rows), seen.longest <= MOST) == (3, True)
    assert not Notification.objects.of(UserId(bob.pk)).exists()
    assert not group.participants.filter(user=bob).exists()
    _assert_consistent()


def test_removing_a_member_stops_when_the_owner_changes(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    _unread(group, ann, [bob], 2 * BATCH_SIZE)

    def hand_over() -> None:
        put_participant(group=owned_by(ann, group), username="cleo", role="owner")

    with pytest.raises(NotOwnerError), watch_transactions(hand_over):
        remove_participant(membership=membership_of(ann, group), username="bob")
    assert group.participants.filter(user=bob).exists()
    _assert_consistent()


def test_a_group_is_deleted_in_batches_with_its_last_member(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    for name in ("bob", "cleo"):
        remove_participant(membership=membership_of(ann, group), username=name)
    _unread(group, ann, [], 3 * BATCH_SIZE)
    overwrite(Message.objects.filter(conversation=group), read=True)
    with watch_transactions(between=_assert_consistent) as seen:
        remove_participant(membership=membership_of(ann, group), username="ann")
    assert seen.longest <= MOST
    assert not Conversation.objects.filter(pk=group.pk).exists()
    assert not Message.objects.filter(conversation=group).exists()
    assert not MessageHistory.objects.exists()


def test_a_batch_of_a_group_that_goes_is_announced_as_erased(
    group: Conversation,
    ann: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Caches let go of it at once, also if the rest is not erased."""
    for name in ("bob", "cleo"):
        remove_participant(membership=membership_of(ann, group), username=name)
    _unread(group, ann, [], 2 * BATCH_SIZE)
    announced: list[frozenset[ConversationId]] = []

    def on_erased(*, conversations: frozenset[ConversationId], **_: object) -> None:
        announced.append(conversations)

    erased.connect(on_erased)
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(ZeroDivisionError),
        watch_transactions(lambda: 1 / 0),
    ):
        remove_participant(membership=membership_of(ann, group), username="ann")
    erased.disconnect(on_erased)
    assert Message.objects.filter(conversation=group).count() == BATCH_SIZE
    assert announced == [frozenset({group.pk})]


def test_expired_rows_are_deleted_in_batches(ann: User) -> None:
    long_ago = timezone.now() - timedelta(days=9)
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(user=ann, key=f"{number}", fingerprint="", created_at=long_ago)
        for number in range(2 * BATCH_SIZE + 1)
    )
    with watch_transactions() as seen:
        call_command("clear_expired")
    assert seen.longest == BATCH_SIZE
    assert not IdempotencyKey.objects.exists()


def test_a_repair_is_done_in_batches(group: Conversation, ann: User) -> None:
    _unread(group, ann, [], 3 * BATCH_SIZE)
    overwrite(Message.objects.filter(conversation=group), reply_count=7, read=True)
    with watch_transactions() as seen:
        call_command("check_consistency", "--fix")
    assert seen.longest <= MOST
    _assert_consistent()


def test_a_chain_of_needless_tombstones_is_repaired_in_batches(
    group: Conversation, ann: User
) -> None:
    _unread(group, ann, [], 3 * BATCH_SIZE)
    overwrite(Message.objects.filter(conversation=group), **TOMBSTONE)
    with watch_transactions() as seen:
        call_command("check_consistency", "--fix")
    assert seen.longest <= MOST
    assert not Message.objects.filter(conversation=group).exists()
