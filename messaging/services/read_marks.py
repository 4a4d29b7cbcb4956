"""Marking messages read, in batches, with events that name exactly the ranges read.

Clients apply a `message.read` event to *all* messages from its first sequence to its last.
A range therefore ends where a message stays unread.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby, pairwise
from typing import Final

from django.db.models import Exists, OuterRef, Q

from messaging.changes import Change, changing_all
from messaging.database import BATCH_SIZE, batches
from messaging.ids import Position, UserId
from messaging.models import Conversation, Event, Message, Notification
from messaging.models.events import EventType
from messaging.models.notifications import NotificationQuerySet
from messaging.sequence_ranges import SequenceRange
from messaging.services.events import read_log
from messaging.services.unread_lookups import UnreadMessage

# Events of a reader that are read to learn what they marked unread meanwhile.
_MOST_EVENTS: Final = 5000


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """The position of a message: its conversation and sequence."""

    conversation: int
    sequence: int


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a reader wants to mark read; it is looked up while it is being marked.

    With `ranges` (ascending, disjoint, of one conversation), no event spans two of them.
    `since` is a position of the event log: an unread message between two of these was
    marked unread after it. Without `since`, any message between them may be unread.
    """

    unread: Iterable[UnreadMessage]
    reader: UserId
    ranges: Sequence[SequenceRange] = ()
    since: Position | None = None


def mark_read(request: ReadRequest) -> None:
    """Mark these messages read, as far as they are still unread. Idempotent.

    Works in batches, by conversation and sequence. Each batch is a transaction with its
    own events, so that other writers get a turn in between. Meanwhile some messages are
    read and others are not; all counts agree with that. After an interruption, calling
    it again marks the rest.
    """
    for batch in batches(request.unread, BATCH_SIZE):
        _mark_batch(batch, request)


def mark_fully_read(
    unread: NotificationQuerySet, *, reader: UserId, change: Change
) -> None:
    """Set `read` on the messages that only `reader` has not read."""
    others = Notification.objects.unread().filter(message=OuterRef("pk"))
    fully_read = Message.objects.filter(
        ~Exists(others.exclude(user=reader)),
        pk__in=unread.values("message"),
        read=False,
    )
    conversations = set(fully_read.values_list("conversation", flat=True))
    if conversations:
        change.update(fully_read, read=True)
        change.renew(*conversations)


def _mark_batch(batch: Iterable[UnreadMessage], request: ReadRequest) -> None:
    conversations = Conversation.objects.filter(
        pk__in={each.conversation for each in batch}
    )
    notifications = [each.notification for each in batch]
    with changing_all(conversations) as change:
        # Another request may have marked some of them read since they were looked up.
        unread = Notification.objects.filter(pk__in=notifications).unread()
        events = _read_events(unread, request)
        if not events:
            return
        # First, since `unread` matches nothing once these are read.
        mark_fully_read(unread, reader=request.reader, change=change)
        change.erase(unread.filter(kind=Notification.Kind.MESSAGE))
        change.update(unread, is_read=True)
        change.record(*events)


def _read_events(unread: NotificationQuerySet, request: ReadRequest) -> list[Event]:
    """One `message.read` event for each range that becomes read; requires the lock."""
    rows = unread.values_list("conversation", "message__sequence")
    places = sorted(_Place(*row) for row in rows)
    return [
        Event(
            type=EventType.MESSAGE_READ,
            conversation_id=run[0].conversation,
            first_sequence=run[0].sequence,
            last_sequence=run[-1].sequence,
            user_id=request.reader,
        )
        for run in _runs(places, request)
    ]


def _runs(places: list[_Place], request: ReadRequest) -> Iterator[list[_Place]]:
    """Places in ascending order, cut where something between two of them is not read."""
    stretches = _by_range(places, request.ranges)
    ends = _ends(stretches, request)
    for stretch in stretches:
        yield from _cut(stretch, ends.get(stretch[0].conversation, ()))


def _cut(stretch: Iterable[_Place], ends: Sequence[int]) -> Iterator[list[_Place]]:
    for _, run in groupby(stretch, lambda place: bisect_left(ends, place.sequence)):
        yield list(run)


def _by_range(
    places: Iterable[_Place], ranges: Iterable[SequenceRange]
) -> list[list[_Place]]:
    lasts = [each.last for each in ranges]

    def range_of(place: _Place) -> tuple[int, int]:
        return place.conversation, bisect_left(lasts, place.sequence)

    return [list(stretch) for _, stretch in groupby(places, range_of)]


def _ends(
    stretches: Iterable[list[_Place]], request: ReadRequest
) -> Mapping[int, Sequence[int]]:
    """By conversation: the sequences at which a run ends."""
    ends: dict[int, list[int]] = {}
    for place in sorted(_left_unread(stretches, request)):
        ends.setdefault(place.conversation, []).append(place.sequence)
    return ends


def _left_unread(
    stretches: Iterable[list[_Place]], request: ReadRequest
) -> set[_Place]:
    """Places that stay unread between those of a stretch; if unknown, those before gaps."""
    gaps = {
        one
        for stretch in stretches
        for one, other in pairwise(stretch)
        if other.sequence > one.sequence + 1
    }
    if not gaps or request.since is None:
        return gaps
    marked = _marked_unread(request.reader, after=request.since)
    # Check this after reading them: events are cleared at any time.
    if marked is None or read_log().forgotten > request.since:
        return gaps
    return marked - {*chain.from_iterable(stretches)}


def _marked_unread(reader: UserId, *, after: Position) -> set[_Place] | None:
    """What a reader has marked unread since; None if too much was logged about them.

    Any type counts, since a filter would read as many rows. This is under the lock.
    """
    later = Q(position__gt=after) | Q(position__isnull=True)
    events = Event.objects.filter(later, user=reader).order_by("pk")
    rows = events.values_list("type", "conversation_id", "first_sequence")
    found = list(rows[: _MOST_EVENTS + 1])
    if len(found) > _MOST_EVENTS:
        return None
    return {
        _Place(conversation or 0, sequence or 0)
        for kind, conversation, sequence in found
        if kind == EventType.MESSAGE_UNREAD
    }
