"""Numbers events in the order in which transactions commit, and logs them."""

from collections.abc import Sequence
from typing import cast

from messaging.changes.wakeup import wake_processes
from messaging.database import fetch_all
from messaging.database.writes import insert_rows
from messaging.ids import Position
from messaging.models import Event


def record_events(events: Sequence[Event]) -> None:
    """Number and log events, in this order.

    Call it last in the transaction, after all other locks: it locks the clock, for
    which every other writer waits until the transaction ends.
    """
    wake_processes()
    last = tick(len(events))
    for position, event in enumerate(events, last - len(events) + 1):
        event.position = position
    insert_rows(Event, events)


def tick(count: int = 1) -> Position:
    """Advance the installation's clock by `count`; return its new reading.

    The row stays locked until the transaction ends. So positions become visible in
    their order; ids of PostgreSQL's sequences do not.
    """
    # SQL by hand: the ORM has no UPDATE … RETURNING, and two statements would hold the
    # lock longer.
    ((clock,),) = fetch_all(
        "UPDATE messaging_installation SET clock = clock + %s RETURNING clock", [count]
    )
    return Position(cast(int, clock))
