"""The event log: each write records what it did, in commit order."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from messaging.changes import open_change
from messaging.database import OnTimeline, fetch_all
from messaging.errors import InvalidCursorError
from messaging.ids import Position, Sequence, UserId
from messaging.models import Conversation, Event, Installation, Message, User
from messaging.models.events import EventType
from messaging.services import (
    conversations,
    events,
    messages,
    notifications,
    owners,
    participants,
    users,
)
from messaging.services.installation import read_clock, renew_epoch
from tests.messaging.logged import logged_by, logged_since
from tests.messaging.other_connection import TIMEOUT, in_thread, only_postgres
from tests.proofs import membership_of, own_of, owned_by, received_by
from tests.reading import read_up_to
from tests.rows import overwrite

_LAST = Sequence(2**63 - 1)


def types(found: list[Event]) -> list[str]:
    return [event.type for event in found]


def test_a_first_message_records_its_conversation_too(ann: User, bob: User) -> None:
    found = logged_by(
        lambda: Message.objects.create(sender=ann, receiver=bob, content="hello")
    )
    message = Message.objects.get()
    assert types(found) == [
        "conversation.created",
        "message.created",
        "notification.created",
    ]
    assert {event.conversation_id for event in found} == {message.conversation_id}
    assert [event.message_id for event in found] == [None, message.pk, message.pk]


def test_an_edit_is_recorded_once_and_an_unchanged_one_is_not(message: Message) -> None:
    message.content = "changed"
    [event] = logged_by(message.save)
    assert event.type == "message.edited"
    assert event.message_id == message.pk
    assert event.conversation_id == message.conversation_id
    assert logged_by(message.save) == []


def test_a_deletion_records_every_tombstone_that_goes(
    message: Message, ann: User, bob: User
) -> None:
    reply = Message.objects.create(
        sender=bob, receiver=ann, content="reply", parent_message=message
    )

    def delete(sender: User, message: Message) -> Callable[[], object]:
        own = own_of(sender, message)
        return lambda: messages.delete_message(message=own)

    buried = logged_by(delete(ann, message))
    assert [(event.type, event.message_id) for event in buried] == [
        ("message.deleted", message.pk)
    ]
    gone = logged_by(delete(bob, reply))
    assert [
        (event.message_id, event.first_sequence, event.last_sequence) for event in gone
    ] == [(reply.pk, 2, 2), (message.pk, 1, 1)]


def test_reading_records_the_range_and_reading_again_nothing(
    message: Message, bob: User
) -> None:
    Message.objects.create(
        conversation=message.conversation, sender=message.sender, content="more"
    )
    membership = membership_of(bob, message.conversation)

    def read() -> None:
        read_up_to(membership=membership, up_to=_LAST)

    [event] = logged_by(read)
    assert (event.type, event.user_id) == ("message.read", bob.pk)
    assert (event.first_sequence, event.last_sequence) == (1, 2)
    assert logged_by(read) == []
    received = received_by(bob, message)
    [event] = logged_by(
        lambda: notifications.mark_message_unread(
            message=received, reader=UserId(bob.pk)
        )
    )
    assert (event.type, event.user_id) == ("message.unread", bob.pk)
    assert (event.first_sequence, event.last_sequence) == (1, 1)


def test_a_group_records_changes_of_title_and_participants(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    renamed = logged_by(
        lambda: conversations.rename_group(group=owned_by(ann, group), title="New")
    )
    assert types(renamed) == ["conversation.updated"]
    handed = logged_by(
        lambda: participants.put_participant(
            group=owned_by(ann, group), username="bob", role="owner"
        )
    )
    assert types(handed) == ["conversation.updated"]
    for change in (owners.add_owner, owners.remove_owner):
        proof = owned_by(bob, group)
        logged = logged_by(partial(change, group=proof, username="cleo"))
        assert types(logged) == ["conversation.updated"]
    left = logged_by(
        lambda: participants.remove_participant(
            membership=membership_of(cleo, group), username="cleo"
        )
    )
    assert [(event.type, event.user_id, event.recipient_id) for event in left] == [
        ("participant.removed", cleo.pk, None),
        ("participant.removed", cleo.pk, cleo.pk),
    ]
    added = logged_by(
        lambda: participants.put_participant(
            group=owned_by(bob, group), username="cleo", role="member"
        )
    )
    assert [(event.type, event.user_id) for event in added] == [
        ("participant.added", cleo.pk)
    ]
    assert membership_of(cleo, group).joined_position == added[0].pk


def test_own_settings_are_logged_for_oneself_alone(
    group: Conversation, bob: User
) -> None:
    membership = membership_of(bob, group)
    for action in (
        lambda: participants.set_muted(membership=membership, muted=True),
        lambda: participants.set_hidden(membership=membership, hidden=True),
    ):
        [event] = logged_by(action)
        assert (event.type, event.recipient_id) == ("conversation.updated", bob.pk)
    assert (
        logged_by(lambda: participants.set_muted(membership=membership, muted=True))
        == []
    )


def test_a_new_display_name_is_recorded_and_the_same_is_not(ann: User) -> None:
    def rename() -> None:
        users.change_display_name(user=ann, display_name="Countess")

    [event] = logged_by(rename)
    assert (event.type, event.user_id) == ("user.updated", ann.pk)
    assert logged_by(rename) == []


def test_a_write_that_fails_records_nothing(message: Message) -> None:
    def fail() -> None:
        with transaction.atomic():
            message.content = "changed"
            message.save()
            transaction.set_rollback(True)

    assert logged_by(fail) == []


def test_a_deleted_account_leaves_no_event_and_others_receive_the_deletion(
    message: Message, group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    Message.objects.create(conversation=group, sender=ann, content="hello")
    Message.objects.create(conversation=group, sender=bob, content="bye")
    for conversation in (message.conversation, group):
        read_up_to(membership=membership_of(bob, conversation), up_to=_LAST)
    participants.set_muted(membership=membership_of(bob, group), muted=True)
    gone = bob.pk
    assert Event.objects.filter(user=gone, conversation_id=group.pk).exists()
    found = logged_by(bob.delete)
    assert [
        (event.type, event.conversation_id, event.recipient_id) for event in found
    ] == [
        ("conversation.deleted", message.conversation_id, ann.pk),
        ("access.ended", None, None),
        ("conversation.reset", group.pk, None),
    ]
    assert not Event.objects.filter(user=gone).exists()
    assert not Event.objects.filter(recipient=gone).exists()


def test_events_are_read_for_possible_recipients(
    message: Message, group: Conversation, ann: User, cleo: User
) -> None:
    events.read_log()
    found = events.events_for(UserId(cleo.pk), after=Position(0), limit=100)
    assert {event.conversation_id for event in found} == {group.pk}
    mine = events.events_for(UserId(ann.pk), after=Position(0), limit=2)
    assert len(mine) == 2
    rest = events.events_for(UserId(ann.pk), after=mine[-1].place, limit=100)
    all_rows = events.events_after(Position(0), limit=100)
    assert [event.position for event in (*mine, *rest)] == [
        event.position for event in all_rows
    ]


def test_only_a_cursor_of_the_log_gives_a_position(message: Message) -> None:
    log = events.read_log()
    assert log.position(log.cursor(log.clock), field="after") == log.clock
    assert log.position(log.cursor(Position(log.clock + 1)), field="after") is None
    for wrong in ("", "x", "WyJpbmJveCIsMV0", "é"):
        with pytest.raises(InvalidCursorError) as refused:
            log.position(wrong, field="after")
        assert refused.value.field == "after"


def test_a_cursor_from_before_a_restore_is_refused(message: Message) -> None:
    old = events.read_log()
    overwrite(Installation.objects.all(), epoch="f" * 32)
    assert events.read_log().position(old.cursor(old.clock), field="after") is None


def test_the_epoch_that_is_read_names_the_timeline_of_the_server(db: None) -> None:
    read = Installation.objects.values_list(OnTimeline("epoch"), flat=True).get()
    stored = Installation.objects.get().epoch
    if connection.vendor == "sqlite":
        assert read == stored
    else:
        sql = "SELECT lpad(to_hex(timeline_id), 8, '0') FROM pg_control_checkpoint()"
        ((timeline,),) = fetch_all(sql)
        assert read == f"{stored}.{str(timeline).upper()}"


def test_each_timeline_has_cursors_of_its_own_and_the_first_those_of_before() -> None:
    numbers = [
        events._epoch_number(f"{'f' * 32}.{timeline:08X}")
        for timeline in (1, 2, 3, 2**32 - 1)
    ]
    assert len(set(numbers)) == 4
    assert numbers[0] == events._epoch_number("f" * 32) == 2**48 - 1
    assert all(0 <= number < 2**48 for number in numbers)


def test_old_events_are_deleted_and_their_cursors_are_reset(message: Message) -> None:
    first = logged_since(Position(0))[0]
    old = timezone.now() - timedelta(days=settings.PARLEY_EVENT_RETENTION_DAYS, hours=1)
    overwrite(Event.objects.filter(pk=first.pk), created_at=old)
    assert events.clear_expired_events() == 1
    assert events.clear_expired_events() == 0
    log = events.read_log()
    assert log.forgotten == first.position
    assert log.position(log.cursor(Position(0)), field="after") is None
    assert log.position(log.cursor(log.forgotten), field="after") == first.position
    assert not Event.objects.filter(pk=first.pk).exists()


def record() -> None:
    with open_change() as change:
        change.record(Event(type=EventType.CONVERSATION_UPDATED, conversation_id=1))


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_no_writer_waits_for_another_and_who_commits_first_comes_first() -> None:
    """No number becomes visible before a smaller one, as those of a sequence do."""
    before = read_clock()
    with transaction.atomic():
        record()
        in_thread(record).join(TIMEOUT)
        other = in_thread(read_clock)
        other.join(TIMEOUT)
        [first] = events.events_after(before, limit=10)
        assert first.position == before + 1
    second = logged_since(first.place).get()
    assert second.position == before + 2
    assert second.pk < first.pk


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_writer_that_hangs_is_ended() -> None:
    """By the option that settings.py sets, here to a shorter time."""

    def hang() -> None:
        with transaction.atomic():
            renew_epoch()
            in_thread(renew_epoch).join(TIMEOUT)
            renew_epoch()

    before = Installation.objects.get().epoch
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
    try:
        with pytest.raises(DatabaseError, match="idle-in-transaction"):
            hang()
    finally:
        connection.close()
    assert Installation.objects.get().epoch != before
