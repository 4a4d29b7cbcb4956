"""What somebody missed, read from the log page by page."""

from dataclasses import dataclass
from typing import Final

from api.events.frames import Frame, addressed, reset
from messaging.ids import Position, UserId
from messaging.services.deliveries import deliver
from messaging.services.events import events_for, read_log

PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Caught:
    """A page, up to where it reaches; `complete` if nothing came after it."""

    frames: list[Frame]
    reached: Position
    complete: bool


def catch_up(user: UserId, *, after: Position, limit: int = PAGE) -> Caught:
    log = read_log()
    events = events_for(user, after=after, limit=limit)
    # Asked last: what was forgotten meanwhile is missing from what was read.
    if read_log().forgotten > after:
        return Caught([reset(log)], log.clock, complete=True)
    complete = len(events) < limit
    last = Position(events[-1].position) if events else after
    told = addressed(deliver(events, audience=frozenset({user})), log)
    return Caught(
        [each.frame for each in told],
        max(last, log.clock) if complete else last,
        complete,
    )
