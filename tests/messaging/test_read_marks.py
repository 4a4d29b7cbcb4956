"""Marking messages read, with events that name exactly the ranges read."""

from collections.abc import Iterable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.ids import MAX_ID, Sequence, UserId
from messaging.models import Conversation, Event, Installation, Message, User
from messaging.sequence_ranges import SequenceRange, clusters, merged
from messaging.services import read_marks, unread_lookups
from messaging.services.inbox import inbox_summary, mark_inbox_read
from messaging.services.notifications import (
    mark_message_read,
    mark_message_unread,
    mark_ranges_read,
)
from messaging.services.participants import put_participant
from messaging.services.unread_lookups import unread_within
from tests.conftest import MakeUser, RunBeforeQuery
from tests.messaging.logged import logged_by
from tests.proofs import membership_of, owned_by, received_by
from tests.reading import read_up_to
from tests.rows import overwrite

Span = tuple[int, int]

pytestmark = pytest.mark.django_db


def _ranges(*spans: Span) -> list[SequenceRange]:
    return [SequenceRange(Sequence(first), Sequence(last)) for first, last in spans]


def _ranges_read(events: Iterable[Event]) -> list[Span]:
    return [
        (event.first_sequence or 0, event.last_sequence or 0)
        for event in events
        if event.type == "message.read"
    ]


def _unread(reader: User) -> list[int]:
    """Sequences."""
    unread = reader.notifications.filter(is_read=False)
    return sorted(unread.values_list("message__sequence", flat=True))


def _send(group: Conversation, sender: User, count: int) -> list[Message]:
    return [
        Message.objects.create(conversation=group, sender=sender, content=f"{number}")
        for number in range(count)
    ]


def _read(reader: User, group: Conversation, *spans: Span) -> list[Span]:
    """Mark ranges read; return what events said."""
    membership = membership_of(reader, group)
    found = logged_by(
        lambda: mark_ranges_read(membership=membership, ranges=_ranges(*spans))
    )
    assert {event.conversation_id for event in found} <= {group.pk}
    return _ranges_read(found)


def _mark_unread(reader: User, *messages: Message) -> None:
    for message in messages:
        mark_message_unread(
            message=received_by(reader, message), reader=UserId(reader.pk)
        )


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(2, 1)], []),
        ([(5, 9), (1, 2)], [(1, 2), (5, 9)]),
        ([(1, 3), (4, 5)], [(1, 5)]),
        ([(1, 9), (2, 3), (9, 12)], [(1, 12)]),
        ([(1, 1), (1, 1), (3, 3)], [(1, 1), (3, 3)]),
    ],
)
def test_ranges_are_sorted_and_merged(spans: list[Span], expected: list[Span]) -> None:
    assert merged(_ranges(*spans)) == _ranges(*expected)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(1, 2), (4, 9), (11, 12)], [[(1, 2), (4, 9)], [(11, 12)]]),
        ([(1, 1), (MAX_ID, MAX_ID)], [[(1, 1)], [(MAX_ID, MAX_ID)]]),
        ([(1, 30), (35, 36), (40, 60)], [[(35, 36)], [(1, 30), (40, 60)]]),
    ],
)
def test_ranges_are_looked_up_with_their_neighbours_alone(
    spans: list[Span], expected: list[list[Span]]
) -> None:
    """Those that are wide are looked up together: see `_unread_in_span`."""
    found = clusters(_ranges(*spans), width=10)
    assert found == [_ranges(*cluster) for cluster in expected]


@pytest.mark.parametrize("width", [1, 2000])
def test_what_lies_between_distant_ranges_is_not_looked_up(
    group: Conversation,
    ann: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
    width: int,
) -> None:
    monkeypatch.setattr(unread_lookups, "_SCREENS", width)
    _send(group, ann, 5)
    distant = [(1, 1), (5, 5), (MAX_ID, MAX_ID)]
    with CaptureQueriesContext(connection) as queries:
        found = list(
            unread_within(_ranges(*distant), membership=membership_of(bob, group))
        )
    assert [each.sequence for each in found] == [1, 5]
    spans = [
        each["sql"]
        for each in queries
        if f'"sequence" BETWEEN 1 AND {MAX_ID}' in each["sql"]
    ]
    assert spans == []


def test_wide_ranges_are_read_by_pages_in_order(
    group: Conversation, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_lookups, "_SCREENS", 2)
    monkeypatch.setattr(unread_lookups, "_LOOKED_UP", 3)
    _send(group, ann, 15)
    assert _read(bob, group, (1, 5), (7, 7), (9, 14)) == [(1, 5), (7, 7), (9, 14)]
    assert _unread(bob) == [6, 8, 15]


def test_ranges_are_read_and_nothing_between_them(
    group: Conversation, ann: User, bob: User, cleo: User
) -> None:
    _send(group, ann, 9)
    assert _read(bob, group, (7, 8), (2, 3), (3, 4)) == [(2, 4), (7, 8)]
    assert _unread(bob) == [1, 5, 6, 9]
    assert _unread(cleo) == [*range(1, 10)]
    assert _read(bob, group, (2, 4), (7, 8)) == []


def test_a_range_tells_of_what_was_unread_in_it(
    group: Conversation, ann: User, bob: User
) -> None:
    """From the first to the last: what lies between had been read, or was one's own."""
    for sender in (ann, bob, ann, ann, bob, ann):
        _send(group, sender, 1)
    assert _read(bob, group, (4, 4)) == [(4, 4)]
    assert _read(bob, group, (1, 100)) == [(1, 6)]
    assert _unread(bob) == []


def test_a_message_marked_unread_again_stays_so_beside_what_is_read(
    group: Conversation, ann: User, bob: User
) -> None:
    sent = _send(group, ann, 5)
    assert _read(bob, group, (1, 5)) == [(1, 5)]
    _mark_unread(bob, sent[2], sent[4])
    assert _read(bob, group, (1, 2), (4, 5)) == [(5, 5)]
    assert _unread(bob) == [3]


def test_a_message_marked_unread_meanwhile_is_not_told_as_read(
    group: Conversation, ann: User, bob: User, run_before_query: RunBeforeQuery
) -> None:
    sent = _send(group, ann, 5)
    _read(bob, group, (3, 3))
    membership = membership_of(bob, group)

    def read() -> None:
        with run_before_query(lambda: _mark_unread(bob, sent[2]), before="SAVEPOINT"):
            read_up_to(membership=membership, up_to=Sequence(5))

    assert _ranges_read(logged_by(read)) == [(1, 2), (4, 5)]
    assert _unread(bob) == [3]


def test_an_inbox_is_cleared_around_what_came_back_since(
    group: Conversation, ann: User, make_user: MakeUser
) -> None:
    """A latecomer had no notification of the old message: it arrives now."""
    old, dora = _send(group, ann, 3), make_user("dora")
    put_participant(group=owned_by(ann, group), username="dora", role="member")
    _mark_unread(dora, old[0], old[2])
    up_to = inbox_summary(reader=UserId(dora.pk)).up_to
    _mark_unread(dora, old[1])
    found = logged_by(lambda: mark_inbox_read(reader=UserId(dora.pk), up_to=up_to))
    assert _ranges_read(found) == [(1, 1), (3, 3)]
    assert _unread(dora) == [2]


def test_ranges_end_at_every_gap_if_the_log_was_cleared(
    group: Conversation, ann: User, bob: User
) -> None:
    """Nobody knows then what was marked unread between two messages."""
    for sender in (ann, ann, bob, ann):
        _send(group, sender, 1)
    up_to = inbox_summary(reader=UserId(bob.pk)).up_to
    installation = Installation.objects.get()
    overwrite(Installation.objects.all(), forgotten=installation.clock + 1)
    found = logged_by(lambda: mark_inbox_read(reader=UserId(bob.pk), up_to=up_to))
    assert _ranges_read(found) == [(1, 2), (4, 4)]


def test_ranges_end_at_every_gap_if_the_log_has_too_much_of_the_reader(
    group: Conversation,
    ann: User,
    bob: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading all of it would keep the conversations locked."""
    monkeypatch.setattr(read_marks, "_MOST_EVENTS", 3)
    for sender in (ann, ann, bob, ann):
        _send(group, sender, 1)
    reader = UserId(bob.pk)
    up_to = inbox_summary(reader=reader).up_to
    first = Message.objects.get(conversation=group, sequence=1)
    for _ in range(2):
        mark_message_read(message=received_by(bob, first), reader=reader)
        _mark_unread(bob, first)
    found = logged_by(lambda: mark_inbox_read(reader=reader, up_to=up_to))
    # What was marked unread after the cursor stays so.
    assert _ranges_read(found) == [(2, 2), (4, 4)]


def test_marking_one_message_logs_its_sequence_alone(
    group: Conversation, ann: User, bob: User
) -> None:
    sent = _send(group, ann, 3)
    message = received_by(bob, sent[1])
    found = logged_by(lambda: mark_message_read(message=message, reader=UserId(bob.pk)))
    assert _ranges_read(found) == [(2, 2)]
    assert _unread(bob) == [1, 3]
