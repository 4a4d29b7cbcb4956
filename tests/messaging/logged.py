"""The events that an action logs."""

from collections.abc import Callable

from django.db.models import QuerySet

from messaging.ids import Position
from messaging.models import Event
from messaging.services.installation import read_clock


def logged_by(action: Callable[[], object]) -> list[Event]:
    """The events that an action adds to the log."""
    before = read_clock()
    action()
    return [*logged_since(before)]


def logged_since(position: Position) -> QuerySet[Event]:
    """The events of the log after a position, in order."""
    # It numbers what has no position yet.
    read_clock()
    return Event.objects.filter(position__gt=position).order_by("position")
