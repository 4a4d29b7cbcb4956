"""How much an installation is used, for its administrators: people, messages, disk.

The numbers are kept for some minutes, and those of messages read the latest of them
alone: no request counts a table of any size again.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from messaging.access import Superuser
from messaging.database import fetch_all
from messaging.models import LastSeen, Message, User

_KEY: Final = "parley.numbers"
_KEPT_SECONDS: Final = 600
_DAYS: Final = 7
_MONTH: Final = timedelta(days=30)
# Messages that are read to count those of each day: a tenth of a second.
_MOST_READ: Final = 200_000


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC: the messages of then that are there now, and the people who wrote them."""

    date: date
    messages: int
    writers: int


@dataclass(frozen=True, slots=True)
class Numbers:
    """All counted at one time.

    Who hides their presence is not among those seen. With `is_partial`, only the latest
    messages were read: there may be more of the earlier days. `free_bytes` is of the
    disk of an SQLite database.
    """

    counted_at: datetime
    accounts: int
    suspended: int
    seen_today: int
    seen_this_week: int
    seen_this_month: int
    # The latest first.
    days: Sequence[Day]
    is_partial: bool
    database_bytes: int
    free_bytes: int | None


def numbers(*, superuser: Superuser) -> Numbers:
    """The numbers of now, or of some minutes ago."""
    kept: Numbers | None = cache.get(_KEY)
    if kept is None:
        kept = _counted()
        cache.set(_KEY, kept, _KEPT_SECONDS)
    return kept


def _counted() -> Numbers:
    now = timezone.now()
    accounts: Mapping[str, int] = User.objects.aggregate(
        all=Count("pk"), suspended=Count("pk", filter=Q(is_active=False))
    )
    seen: Mapping[str, int] = LastSeen.objects.aggregate(
        today=Count("pk", filter=Q(at__gte=_midnight(now.date()))),
        week=Count("pk", filter=Q(at__gte=now - timedelta(days=_DAYS))),
        month=Count("pk", filter=Q(at__gte=now - _MONTH)),
    )
    days, read = _days(now.date())
    return Numbers(
        counted_at=now,
        accounts=accounts["all"],
        suspended=accounts["suspended"],
        seen_today=seen["today"],
        seen_this_week=seen["week"],
        seen_this_month=seen["month"],
        days=days,
        is_partial=read == _MOST_READ,
        database_bytes=_database_bytes(),
        free_bytes=_free_bytes(),
    )


def _days(today: date) -> tuple[Sequence[Day], int]:
    """Each of the last days, and how many messages were read for all of them."""
    dates = [today - timedelta(days=ago) for ago in range(_DAYS)]
    counts: dict[str, Count] = {"read": Count("pk")}
    for number, each in enumerate(dates):
        begin = _midnight(each)
        # A tombstone has no sender.
        of_day = Q(
            timestamp__gte=begin,
            timestamp__lt=begin + timedelta(days=1),
            sender__isnull=False,
        )
        counts[f"messages{number}"] = Count("pk", filter=of_day)
        counts[f"writers{number}"] = Count("sender", filter=of_day, distinct=True)
    latest = Message.objects.order_by("-pk")[:_MOST_READ]
    found: Mapping[str, int] = latest.aggregate(**counts)
    days = [
        Day(each, found[f"messages{number}"], found[f"writers{number}"])
        for number, each in enumerate(dates)
    ]
    return days, found["read"]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _database_bytes() -> int:
    if connection.vendor == "sqlite":
        sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    else:
        sql = "SELECT pg_database_size(current_database())"
    ((size,),) = fetch_all(sql)
    return int(str(size))


def _free_bytes() -> int | None:
    """None if the database is on another machine, or in memory."""
    if connection.vendor != "sqlite":
        return None
    try:
        return shutil.disk_usage(Path(connection.settings_dict["NAME"]).parent).free
    except OSError:
        return None
