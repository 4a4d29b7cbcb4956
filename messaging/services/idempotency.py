"""Idempotent writes: a request that is repeated with its key is executed once.

The key is claimed first, in the transaction of the write, so that both are committed or
rolled back together. A repetition waits at the claim until the first request ends. Then
it finds the result or, if the first was rolled back, executes the write itself.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from messaging.database import erase_in_batches, execute
from messaging.errors import IdempotencyKeyReusedError
from messaging.ids import UserId
from messaging.models import IdempotencyKey
from messaging.services.limits import count_key

KEPT_FOR: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a write: the response status, and the id of the created or changed row."""

    status: int
    result_id: int


def claim(*, user_id: UserId, key: str, fingerprint: str) -> Outcome | None:
    """Claim a key for a write, or return the result of the write that claimed it before.

    Call it first in the transaction of the write.

    Returns:
        None if the key is new: the caller executes the write.

    Raises:
        IdempotencyKeyReusedError: another request used the key.
        RateLimitedError: the user sent too many new keys.
    """
    # Delete this key alone: other expired rows would be locked before the conversation,
    # against the lock order.
    _expired().filter(user=user_id, key=key).delete()
    if _insert(user_id=user_id, key=key, fingerprint=fingerprint):
        count_key(user_id=user_id)
        return None
    known = IdempotencyKey.objects.get(user=user_id, key=key)
    if known.fingerprint != fingerprint or known.status is None:
        raise IdempotencyKeyReusedError(
            "This Idempotency-Key was sent with another request.",
            field="Idempotency-Key",
        )
    return Outcome(known.status, known.result_id or 0)


def record(*, user_id: UserId, key: str, outcome: Outcome) -> None:
    """Store the result of the write that claimed a key."""
    IdempotencyKey.objects.filter(user=user_id, key=key).update(
        status=outcome.status, result_id=outcome.result_id
    )


def clear_expired_keys() -> int:
    """Delete all keys older than `KEPT_FOR`; return their number."""
    expired = _expired()
    return erase_in_batches(expired)


def _expired() -> QuerySet[IdempotencyKey]:
    return IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)


def _insert(*, user_id: UserId, key: str, fingerprint: str) -> bool:
    # SQL by hand: `bulk_create(ignore_conflicts=True)` does not tell whether it
    # inserted.
    inserted = execute(
        "INSERT INTO messaging_idempotencykey (user_id, key, fingerprint, created_at)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [user_id, key, fingerprint, timezone.now()],
    )
    return inserted == 1
