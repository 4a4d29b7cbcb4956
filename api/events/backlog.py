"""The backlog of a stream: events that it missed, read from the log page by page."""

from dataclasses import dataclass
from typing import Final

from api.events.credentials import Credential, ended_credentials
from api.events.frames import Frame, addressed, reset
from messaging.ids import Position, UserId
from messaging.services.deliveries import deliver
from messaging.services.events import events_for, read_log

PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class BacklogPage:
    """Frames of the log up to position `reached`; `complete` if the log has no more."""

    frames: list[Frame]
    reached: Position
    complete: bool


def read_backlog(
    credential: Credential, *, after: Position, limit: int = PAGE_SIZE
) -> BacklogPage | None:
    """The next page of the log for the user of a credential; None if it has ended."""
    page = _page(credential.user, after, limit)
    # Checked after reading: if it is valid now, it was when each of these events was
    # committed. The watcher ends a stream by an event, which this one may have read past.
    return None if ended_credentials({credential}) else page


def _page(user: UserId, after: Position, limit: int) -> BacklogPage:
    log = read_log()
    events = events_for(user, after=after, limit=limit)
    # Check this after reading: events that were cleared in between are missing from
    # `events`.
    if read_log().forgotten > after:
        return BacklogPage([reset(log)], log.clock, complete=True)
    complete = len(events) < limit
    last = events[-1].place if events else after
    outgoing = addressed(deliver(events, audience=frozenset({user})), log)
    return BacklogPage(
        [each.frame for each in outgoing],
        # All events up to `log.clock` were checked: the next read starts there, behind
        # events for others.
        max(last, log.clock) if complete else last,
        complete,
    )
