"""Writes that happen once, however often they are sent.

A key is claimed first, in the transaction of the write itself: they are
committed or rolled back together. A second request with the key waits at the
claim for the first one's end, and then finds its result, or takes its place.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from messaging.errors import IdempotencyKeyReusedError
from messaging.ids import UserId
from messaging.models import IdempotencyKey

KEPT_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a write: its status, and the id of what it made or changed."""

    status: int
    result_id: int


def claim(*, person: UserId, key: str, fingerprint: str) -> Outcome | None:
    """Claim a key for a write, or learn what came of it; within the write's transaction.

    Returns:
        None when the key is new: the write may go on.

    Raises:
        IdempotencyKeyReusedError: it was given to another write.
    """
    # Of this key alone: a row of another's would be locked before the conversation.
    _expired().filter(user=person, key=key).delete()
    if _insert(person=person, key=key, fingerprint=fingerprint):
        return None
    known = IdempotencyKey.objects.get(user=person, key=key)
    if known.fingerprint != fingerprint or known.status is None:
        raise IdempotencyKeyReusedError(
            "This Idempotency-Key was sent with another request.",
            field="Idempotency-Key",
        )
    return Outcome(known.status, known.result_id or 0)


def record(*, person: UserId, key: str, outcome: Outcome) -> None:
    """Keep what came of the write that claimed a key."""
    IdempotencyKey.objects.filter(user=person, key=key).update(
        status=outcome.status, result_id=outcome.result_id
    )


def clear_expired_keys() -> int:
    """Forget everyone's keys of the day before; says how many."""
    expired = _expired()
    return expired._raw_delete(expired.db)


def _expired() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)


def _insert(*, person: UserId, key: str, fingerprint: str) -> bool:
    # bulk_create(ignore_conflicts=True) does not tell whether it inserted.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_idempotencykey (user_id, key, fingerprint, created_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [
                person,
                key,
                fingerprint,
                connection.ops.adapt_datetimefield_value(timezone.now()),
            ],
        )
        inserted: int = cursor.rowcount
    return inserted == 1
