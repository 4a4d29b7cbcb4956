"""Facts of the database as a whole: the cache epoch, and a clock of its writes."""

import secrets
from typing import Final

from django.apps.registry import Apps
from django.db import connection

from messaging.ids import Position
from messaging.models import Installation
from messaging.statements import Statement


def ensure_installation(*, apps: Apps) -> None:
    """Make the one row, unless it is there; of a model as the last migration left it."""
    apps.get_model("messaging", "Installation")._default_manager.get_or_create(
        pk=Installation.ONLY_ID, defaults={"epoch": _random_epoch()}
    )


def renew_epoch() -> None:
    """Make every page cached before, here or at a client, one that nobody asks for.

    For a database that went back in time: it gives versions out again, for other
    contents.
    """
    Installation.objects.filter(pk=Installation.ONLY_ID).update(epoch=_random_epoch())


_CLOCK: Final = Statement(
    lambda: Installation.objects.filter(pk=Installation.ONLY_ID).values_list("clock")
)


def read_clock() -> Position:
    """The last tick that was committed."""
    ((clock,),) = _CLOCK.all()
    return Position(clock)


def tick(count: int = 1) -> Position:
    """Advance the clock by so much, and hold it until the transaction ends.

    Whoever reads a position therefore sees everything at smaller ones: ids,
    which PostgreSQL commits out of order, promise no such thing. As it holds up
    every other writer, it comes last in a transaction, after all other locks.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_installation SET clock = clock + %s RETURNING clock",
            [count],
        )
        (clock,) = cursor.fetchone()
    return Position(clock)


def _random_epoch() -> str:
    return secrets.token_hex(16)
