"""Idempotent writes: a request that is repeated with its key is executed once.

The key is claimed first, in the transaction of the write, so that both are committed or
rolled back together. A repetition waits at the claim until the first request ends. Then
it finds the result or, if the first was rolled back, executes the write itself.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

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
    execute(
        "UPDATE messaging_idempotencykey SET status = %s, result_id = %s"
        " WHERE user_id = %s AND key = %s",
        [outcome.status, outcome.result_id, user_id, key],
    )


def clear_expired_keys() -> int:
    """Delete all keys older than `KEPT_FOR`; return their number."""
    now = timezone.now()
    return erase_in_batches(
        IdempotencyKey.objects.filter(created_at__lt=now - KEPT_FOR)
    )


def _insert(*, user_id: UserId, key: str, fingerprint: str) -> bool:
    """Whether the key is new, or was expired and begins anew.

    SQL by hand: of `bulk_create()` nobody learns whether it inserted. Other expired keys
    stay: they would be locked before the conversation, against the lock order.
    """
    now = timezone.now()
    inserted = execute(
        "INSERT INTO messaging_idempotencykey AS kept"
        " (user_id, key, fingerprint, created_at) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (user_id, key) DO UPDATE SET fingerprint = excluded.fingerprint,"
        " status = NULL, result_id = NULL, created_at = excluded.created_at"
        " WHERE kept.created_at < %s",
        [user_id, key, fingerprint, now, now - KEPT_FOR],
    )
    return inserted == 1
