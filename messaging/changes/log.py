"""Logs events, at the end of a change."""

from collections.abc import Iterable, Sequence
from typing import cast

from django.db import connection

from messaging.changes.wakeup import wake_processes
from messaging.database import fetch_all
from messaging.database.inserts import Linked, insert_linked, insert_rows
from messaging.database.writes import Statement
from messaging.ids import Position
from messaging.models import Event


def record_events(
    events: Sequence[Event], linked: Sequence[Linked], updates: Iterable[Statement]
) -> None:
    """Update rows, log events in this order, and insert the rows that carry their ids.

    The events get their ids; `numbering` says when they get positions. Call it last in the
    transaction, after all other locks: only so a later event of a conversation or an
    account has the higher id.
    """
    wake_processes()
    if connection.vendor == "postgresql":
        insert_linked(events, linked, besides=updates)
        return
    for update in updates:
        update.run()
    last = _tick(len(events))
    for position, event in enumerate(events, last - len(events) + 1):
        event.pk = event.position = position
    insert_rows(Event, events, with_ids=True)
    for link in linked:
        for row in link.rows:
            setattr(row, link.column, link.to.pk)
        insert_rows(type(link.rows[0]), link.rows)


def next_event_id() -> int:
    """An id that is higher than those of all events of a conversation whose lock is held."""
    ((number,),) = fetch_all(
        "SELECT nextval(pg_get_serial_sequence('messaging_event', 'id'))"
        if connection.vendor == "postgresql"
        else "SELECT clock + 1 FROM messaging_installation",
        [],
    )
    return cast(int, number)


def _tick(count: int) -> Position:
    """Advance the clock by `count`, on SQLite, where one transaction writes at a time."""
    # SQL by hand: the ORM has no UPDATE … RETURNING.
    ((clock,),) = fetch_all(
        "UPDATE messaging_installation SET clock = clock + %s RETURNING clock", [count]
    )
    return Position(cast(int, clock))
