"""The log: each write tells what it did, in the order in which it was committed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from messaging.errors import InvalidCursorError
from messaging.ids import Position, Sequence, UserId
from messaging.models import Conversation, Event, Installation, Message, User
from messaging.models.events import EventType
from messaging.services import (
    conversations,
    events,
    messages,
    notifications,
    participants,
    users,
)
from messaging.services.installation import read_clock
from tests.messaging.elsewhere import (
    PATIENCE,
    await_a_waiting_writer,
    elsewhere,
    looking_on,
    only_postgres,
)
from tests.proofs import own_of, owned_by, part_of, received_by

_LAST = Sequence(2**63 - 1)


def told(deed: Callable[[], object]) -> list[Event]:
    """What a deed adds to the log."""
    before = read_clock()
    deed()
    return events.events_after(before, limit=100)


def types(found: list[Event]) -> list[str]:
    return [event.type for event in found]


def test_a_first_message_tells_of_its_conversation_too(ann: User, bob: User) -> None:
    found = told(
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


def test_an_edit_is_told_once_and_an_idle_one_is_not(message: Message) -> None:
    message.content = "changed"
    [event] = told(message.save)
    assert event.type == "message.edited"
    assert event.message_id == message.pk
    assert event.conversation_id == message.conversation_id
    assert told(message.save) == []


def test_a_deletion_tells_of_every_place_that_goes(
    message: Message, ann: User, bob: User
) -> None:
    reply = Message.objects.create(
        sender=bob, receiver=ann, content="reply", parent_message=message
    )

    def delete(sender: User, message: Message) -> Callable[[], object]:
        own = own_of(sender, message)
        return lambda: messages.delete_message(message=own)

    buried = told(delete(ann, message))
    assert [(event.type, event.message_id) for event in buried] == [
        ("message.deleted", message.pk)
    ]
    gone = told(delete(bob, reply))
    assert [
        (event.message_id, event.first_sequence, event.last_sequence) for event in gone
    ] == [(reply.pk, 2, 2), (message.pk, 1, 1)]


def test_reading_tells_the_range_and_reading_again_nothing(
    message: Message, bob: User
) -> None:
    Message.objects.create(
        conversation=message.conversation, sender=message.sender, content="more"
    )
    membership = part_of(bob, message.conversation)

    def read() -> None:
        notifications.mark_conversation_read(membership=membership, up_to=_LAST)

    [event] = told(read)
    assert (event.type, event.user_id) == ("message.read", bob.pk)
    assert (event.first_sequence, event.last_sequence) == (1, 2)
    assert told(read) == []
    received = received_by(bob, message)
    [event] = told(
        lambda: notifications.mark_message_unread(
            message=received, reader=UserId(bob.pk)
        )
    )
    assert (event.type, event.user_id) == ("message.unread", bob.pk)
    assert (event.first_sequence, event.last_sequence) == (1, 1)


def test_a_group_tells_of_its_title_and_its_people(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    renamed = told(
        lambda: conversations.rename_group(group=owned_by(ann, group), title="New")
    )
    assert types(renamed) == ["conversation.updated"]
    handed = told(
        lambda: participants.put_participant(
            group=owned_by(ann, group), username="bob", role="owner"
        )
    )
    assert types(handed) == ["conversation.updated"]
    left = told(
        lambda: participants.remove_participant(
            membership=part_of(cleo, group), username="cleo"
        )
    )
    assert [(event.type, event.user_id, event.recipient_id) for event in left] == [
        ("participant.removed", cleo.pk, None),
        ("participant.removed", cleo.pk, cleo.pk),
    ]
    added = told(
        lambda: participants.put_participant(
            group=owned_by(bob, group), username="cleo", role="member"
        )
    )
    assert [(event.type, event.user_id) for event in added] == [
        ("participant.added", cleo.pk)
    ]
    assert part_of(cleo, group).joined_position == added[0].position


def test_what_one_sets_for_oneself_is_told_to_oneself(
    group: Conversation, bob: User
) -> None:
    membership = part_of(bob, group)
    for deed in (
        lambda: participants.set_muted(membership=membership, muted=True),
        lambda: participants.set_hidden(membership=membership, hidden=True),
    ):
        [event] = told(deed)
        assert (event.type, event.recipient_id) == ("conversation.updated", bob.pk)
    assert told(lambda: participants.set_muted(membership=membership, muted=True)) == []


def test_a_new_name_is_told_and_the_same_is_not(ann: User) -> None:
    def rename() -> None:
        users.change_display_name(user=ann, display_name="Countess")

    [event] = told(rename)
    assert (event.type, event.user_id) == ("user.updated", ann.pk)
    assert told(rename) == []


def test_a_write_that_fails_tells_nothing(message: Message) -> None:
    def fail() -> None:
        with transaction.atomic():
            message.content = "changed"
            message.save()
            transaction.set_rollback(True)

    assert told(fail) == []


def test_a_deleted_account_leaves_no_event_and_others_are_told(
    message: Message, group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    Message.objects.create(conversation=group, sender=ann, content="hello")
    Message.objects.create(conversation=group, sender=bob, content="bye")
    for conversation in (message.conversation, group):
        notifications.mark_conversation_read(
            membership=part_of(bob, conversation), up_to=_LAST
        )
    participants.set_muted(membership=part_of(bob, group), muted=True)
    gone = bob.pk
    assert Event.objects.filter(user=gone, conversation_id=group.pk).exists()
    found = told(bob.delete)
    assert [
        (event.type, event.conversation_id, event.recipient_id) for event in found
    ] == [
        ("conversation.deleted", message.conversation_id, ann.pk),
        ("conversation.reset", group.pk, None),
    ]
    assert not Event.objects.filter(user=gone).exists()
    assert not Event.objects.filter(recipient=gone).exists()


def test_events_are_for_whom_they_may_concern(
    message: Message, group: Conversation, ann: User, cleo: User
) -> None:
    found = events.events_for(UserId(cleo.pk), after=Position(0), limit=100)
    assert {event.conversation_id for event in found} == {group.pk}
    mine = events.events_for(UserId(ann.pk), after=Position(0), limit=2)
    assert len(mine) == 2
    rest = events.events_for(
        UserId(ann.pk), after=Position(mine[-1].position), limit=100
    )
    everything = events.events_after(Position(0), limit=100)
    assert [event.position for event in (*mine, *rest)] == [
        event.position for event in everything
    ]


def test_a_cursor_says_where_and_nothing_else_does(message: Message) -> None:
    log = events.read_log()
    assert log.position(log.cursor(log.clock), field="after") == log.clock
    assert log.position(log.cursor(Position(log.clock + 1)), field="after") is None
    for wrong in ("", "x", "WyJpbmJveCIsMV0", "é"):
        with pytest.raises(InvalidCursorError) as refused:
            log.position(wrong, field="after")
        assert refused.value.field == "after"


def test_a_cursor_of_the_time_before_a_restore_leads_nowhere(message: Message) -> None:
    old = events.read_log()
    Installation.objects.update(epoch="f" * 32)
    assert events.read_log().position(old.cursor(old.clock), field="after") is None


def test_what_is_too_old_is_forgotten_and_said_to_be(message: Message) -> None:
    [first, *_] = events.events_after(Position(0), limit=1)
    old = timezone.now() - timedelta(days=settings.PARLEY_EVENT_RETENTION_DAYS, hours=1)
    Event.objects.filter(pk=first.pk).update(created_at=old)
    assert events.clear_expired_events() == 1
    assert events.clear_expired_events() == 0
    log = events.read_log()
    assert log.forgotten == first.position
    assert log.position(log.cursor(Position(0)), field="after") is None
    assert log.position(log.cursor(log.forgotten), field="after") == first.position
    assert not Event.objects.filter(pk=first.pk).exists()


def record() -> None:
    with transaction.atomic():
        events.record_events(
            [Event(type=EventType.CONVERSATION_UPDATED, conversation_id=1)]
        )


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_who_has_a_position_commits_before_the_next_gets_one() -> None:
    """No number becomes visible before a smaller one, as those of a sequence do."""
    before = read_clock()
    with looking_on() as cursor, transaction.atomic():
        record()
        thread = elsewhere(record)
        await_a_waiting_writer(cursor)
        cursor.execute("SELECT clock FROM messaging_installation")
        assert cursor.fetchone() == (before,)
    thread.join(PATIENCE)
    found = events.events_after(before, limit=10)
    assert [event.position for event in found] == [before + 1, before + 2]


@only_postgres
@pytest.mark.django_db(transaction=True)
def test_a_writer_that_hangs_is_ended() -> None:
    """By the option that settings.py sets, here to a shorter time."""

    def hang() -> None:
        with transaction.atomic():
            record()
            elsewhere(record).join(PATIENCE)
            record()

    before = read_clock()
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
    try:
        with pytest.raises(DatabaseError, match="idle-in-transaction"):
            hang()
    finally:
        connection.close()
    [event] = events.events_after(before, limit=10)
    assert event.position == before + 1
