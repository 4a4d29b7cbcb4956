"""The log of what happened, which live streams are read from.

An event is written in the transaction of what it tells and numbered by the
installation's clock, which that transaction holds until it commits: whoever has
read up to a position has seen everything at smaller ones. Ids, which PostgreSQL
commits out of order, promise no such thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from messaging.cursors import decode_numbers, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import Position, UserId
from messaging.models import Event, Installation, Participant
from messaging.models.events import EventType
from messaging.services.installation import tick
from messaging.wakeups import announce
from messaging.writes import Insertion

_LOGGED: Final = Insertion(Event)
_CLEAR_BATCH: Final = 5000
# Of the epoch, as much as fits a cursor's number.
_ERA_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Log:
    """What the log holds now: events after `forgotten`, up to `clock`.

    `era` tells the database from itself before a backup was restored.
    """

    clock: Position
    forgotten: Position
    era: int

    def cursor(self, position: Position) -> str:
        return encode_cursor("events", self.era, position)

    def position(self, cursor: str, *, field: str) -> Position | None:
        """Where a cursor stands, or None when what came after it is not kept.

        Raises:
            InvalidCursorError: not a cursor of events; it came in this field.
        """
        try:
            era, position = decode_numbers("events", cursor)
        except (InvalidCursorError, ValueError) as error:
            raise InvalidCursorError(
                "This is no cursor of events.", field=field
            ) from error
        known = era == self.era and self.forgotten <= position <= self.clock
        return Position(position) if known else None


def record_events(events: Sequence[Event]) -> Position:
    """Write one event or more, in this order; the position of the last.

    Last in the transaction of what they tell, after all locks: every other writer
    waits from here on until it ends.
    """
    announce()
    last = tick(len(events))
    for position, event in enumerate(events, last - len(events) + 1):
        event.position = position
    _LOGGED.run(events)
    return last


def read_log() -> Log:
    """How far the log reaches; to be read before what it holds."""
    clock, forgotten, epoch = Installation.objects.values_list(
        "clock", "forgotten", "epoch"
    ).get(pk=Installation.ONLY_ID)
    return Log(Position(clock), Position(forgotten), int(epoch[:_ERA_DIGITS], 16))


def events_after(position: Position, *, limit: int) -> list[Event]:
    """What happened since, to anybody, in order."""
    return list(_told().filter(position__gt=position)[:limit])


def events_for(user: UserId, *, after: Position, limit: int) -> list[Event]:
    """What happened since that may concern somebody, in order.

    `deliveries.deliver()` tells what does. Costs as much as there is of their
    conversations, whatever went on in others.
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
    return list(_told().filter(position__in=list(positions)))


def clear_expired_events() -> int:
    """Forget some of the events that nobody can resume from any more; says how many.

    A few thousand at a time, so that writers do not wait: 0 when there are none left.
    """
    retention = timedelta(days=settings.PARLEY_EVENT_RETENTION_DAYS)
    oldest = Event.objects.order_by("position").filter(position__gt=0)[:_CLEAR_BATCH]
    expired = [
        position
        for position, created_at in oldest.values_list("position", "created_at")
        if created_at < timezone.now() - retention
    ]
    if not expired:
        return 0
    last = expired[-1]
    with transaction.atomic():
        gone = Event.objects.filter(position__lte=last)
        count = gone._raw_delete(gone.db)
        Installation.objects.update(forgotten=Greatest(F("forgotten"), Value(last)))
    return count


def _told() -> QuerySet[Event]:
    return (
        Event.objects.select_related("user")
        .only(
            "type",
            "conversation_id",
            "message_id",
            "first_sequence",
            "last_sequence",
            "recipient",
            "created_at",
            "user__username",
            "user__display_name",
        )
        .order_by("position")
    )
