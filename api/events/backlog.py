"""The backlog of a stream: events that it missed, read from the log page by page."""

from dataclasses import dataclass
from typing import Final

from api.events.credentials import Credential, ended_credentials
from api.events.frames import Frame, addressed, reset
from messaging.ids import Position, UserId
from messaging.services.deliveries import deliver
from messaging.services.events import Log, events_for, read_log

PAGE_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class BacklogPage:
    """Frames of `log` up to position `reached`; `complete` if the log has no more."""

    frames: list[Frame]
    log: Log
    reached: Position
    complete: bool


def read_backlog(
    credential: Credential, *, log: Log, after: Position, limit: int = PAGE_SIZE
) -> BacklogPage | None:
    """The next page of the log for the user of a credential; None if it has ended.

    `after` is a position of `log`. If that was replaced, by a restore or a failover, the
    page is a reset.
    """
    page = _page(credential.user, log.epoch, after, limit)
    # Checked after reading: if it is valid now, it was when each of these events was
    # committed. The watcher ends a stream by an event, which this one may have read past.
    return None if ended_credentials({credential}) else page


def _page(user: UserId, epoch: int, after: Position, limit: int) -> BacklogPage:
    log = read_log()
    events = events_for(user, after=after, limit=limit)
    # Check this after reading: events that were cleared in between are missing from
    # `events`, and those of another log have other positions.
    now = read_log()
    if now.epoch != epoch or now.forgotten > after:
        return BacklogPage([reset(now)], now, now.clock, complete=True)
    complete = len(events) < limit
    last = events[-1].place if events else after
    outgoing = addressed(deliver(events, audience=frozenset({user})), log)
    return BacklogPage(
        [each.frame for each in outgoing],
        log,
        # All events up to `log.clock` were checked: the next read starts there, behind
        # events for others.
        max(last, log.clock) if complete else last,
        complete,
    )
