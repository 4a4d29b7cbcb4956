"""The one row about the whole database: its epoch, and the logical clock of its writes."""

import secrets

from django.apps.registry import Apps
from django.db.models import QuerySet

from messaging.changes import open_change
from messaging.database import CompiledQuery
from messaging.ids import Position
from messaging.models import Installation


def ensure_installation(*, apps: Apps) -> None:
    """Create the row unless it exists.

    `apps` must be the migration's: its historical model fits the table at that time.
    """
    model = apps.get_model("messaging", "Installation")
    only = model(pk=Installation.ONLY_ID, epoch=_random_epoch())
    # Past the guard: there is no clock yet by which a change could end.
    rows: QuerySet[Installation] = QuerySet(model)
    rows.bulk_create([only], ignore_conflicts=True)


def renew_epoch() -> None:
    """Invalidate all cached pages and all cursors of events, on servers and in clients.

    Cache keys, ETags and cursors contain the epoch. After a restore this is needed,
    since versions of pages are used again for other content.
    """
    with open_change() as change:
        change.update(Installation.objects.all(), epoch=_random_epoch())


@CompiledQuery
def _clock() -> QuerySet[Installation, tuple[int]]:
    return Installation.objects.filter(pk=Installation.ONLY_ID).values_list("clock")


def read_clock() -> Position:
    """The position of the last committed event."""
    ((clock,),) = _clock.all()
    return Position(clock)


def _random_epoch() -> str:
    return secrets.token_hex(16)
