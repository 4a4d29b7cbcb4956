"""The events that an action logs."""

from collections.abc import Callable

from messaging.models import Event
from messaging.services import events
from messaging.services.installation import read_clock


def logged_by(action: Callable[[], object]) -> list[Event]:
    """The events that an action adds to the log."""
    before = read_clock()
    action()
    return events.events_after(before, limit=100)
