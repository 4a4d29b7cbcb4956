"""The event log, which live streams read.

Events are written by a `Change`, and numbered once they are committed: see
messaging/changes/numbering.py. So a reader at a position has seen every event at lower
positions. Ids would not guarantee that: on PostgreSQL they are committed out of order.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, F, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from messaging.changes import open_change
from messaging.changes.numbering import number_events
from messaging.cursors import decode_numbers, encode_cursor
from messaging.database import CompiledQuery, OnTimeline
from messaging.errors import InvalidCursorError
from messaging.ids import Position, UserId
from messaging.models import Event, Installation, Participant
from messaging.models.events import EventType
from messaging.projections import UserProjection

# Rows that one transaction deletes: on SQLite, every writer waits for it.
_CLEAR_BATCH: Final = 5000
# The number of hex digits of the epoch that fit into a cursor's 63-bit number.
_EPOCH_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Log:
    """The range of the log: events after `forgotten`, up to `clock`.

    `epoch` changes with a restore and a failover: earlier cursors are invalid then.
    """

    clock: Position
    forgotten: Position
    epoch: int

    def cursor(self, position: Position) -> str:
        return encode_cursor("events", self.epoch, position)

    def position(self, cursor: str, *, field: str) -> Position | None:
        """The position of a cursor; None if the log cannot be resumed there.

        That is so if events after it were cleared, and after a restore or a failover.

        Raises:
            InvalidCursorError: the text is no cursor of events; the error names
                `field`.
        """
        try:
            epoch, position = decode_numbers("events", cursor)
        except (InvalidCursorError, ValueError) as error:
            raise InvalidCursorError(
                "This is no cursor of events.", field=field
            ) from error
        known = epoch == self.epoch and self.forgotten <= position <= self.clock
        return Position(position) if known else None


def read_log() -> Log:
    """Read the range of the log. Call it before reading events, so that none is missed.

    All events are in it that were committed before, since those without a number get one.
    """
    clock, forgotten, epoch, are_waiting = _log()
    if are_waiting:
        number_events()
        clock, forgotten, epoch, _ = _log()
    return Log(Position(clock), Position(forgotten), _epoch_number(epoch))


def _log() -> tuple[int, int, str, bool]:
    (row,) = _read_log.all()
    return row


@CompiledQuery
def _read_log() -> QuerySet[Installation, tuple[int, int, str, bool]]:
    return Installation.objects.filter(pk=Installation.ONLY_ID).values_list(
        "clock", "forgotten", OnTimeline("epoch"), Exists(Event.objects.waiting())
    )


def _epoch_number(epoch: str) -> int:
    """Another one on each timeline; on the first, as on SQLite, that of the epoch alone."""
    stored, _, timeline = epoch.partition(".")
    return int(stored[:_EPOCH_DIGITS], 16) ^ (int(timeline or "1", 16) - 1)


def events_after(position: Position, *, limit: int) -> list[Event]:
    """All events after a position, in order."""
    return list(_for_delivery().filter(position__gt=position)[:limit])


def events_for(user: UserId, *, after: Position, limit: int) -> list[Event]:
    """Events after a position that may concern a user, in order.

    `deliveries.deliver()` decides which of them do. The cost grows with the events of
    the user's conversations, not with those of others.
    """
    since = Event.objects.filter(position__gt=after).order_by()
    theirs = Participant.objects.filter(user=user).values("conversation")
    mine = since.filter(recipient=user)
    shared = since.filter(conversation_id__in=theirs, recipient__isnull=True)
    renames = since.filter(type=EventType.USER_UPDATED)
    positions = (
        mine.values_list("position", flat=True)
        .union(
            shared.values_list("position", flat=True),
            renames.values_list("position", flat=True),
        )
        .order_by("position")[:limit]
    )
    return list(_for_delivery().filter(position__in=list(positions)))


def clear_expired_events() -> int:
    """Delete a batch of events past their retention; return their number, 0 if none is left.

    A batch has at most `_CLEAR_BATCH` events, so that writers do not wait long.
    """
    retention = timedelta(days=settings.PARLEY_EVENT_RETENTION_DAYS)
    # In the order of the primary key: the time has no index.
    oldest = Event.objects.order_by("position").filter(position__gt=0)[:_CLEAR_BATCH]
    expired = [
        position
        for position, created_at in oldest.values_list("position", "created_at")
        if created_at < timezone.now() - retention
    ]
    if not expired:
        return 0
    last = expired[-1]
    with open_change() as change:
        count = change.erase(Event.objects.filter(position__lte=last))
        # `Greatest`: two processes may clear at the same time.
        forgotten = Greatest(F("forgotten"), Value(last))
        change.update(Installation.objects.all(), forgotten=forgotten)
    return count


def _for_delivery() -> QuerySet[Event]:
    return (
        Event.objects.select_related("user")
        .only(
            "position",
            "type",
            "conversation_id",
            "message_id",
            "first_sequence",
            "last_sequence",
            "recipient",
            "created_at",
            *UserProjection.columns("user"),
        )
        .order_by("position")
    )
