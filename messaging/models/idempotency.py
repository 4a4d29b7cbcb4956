from django.db import models
from django.utils import timezone
from typing_extensions import override

from messaging.models.users import User


class IdempotencyKey(models.Model):
    """What came of a write that its client may send again.

    Of the answer only the status and the result's id are kept: its body is
    composed anew, so that nothing deleted since is shown again.
    """

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    # Of method, path and body: the same key for another write is a mistake.
    fingerprint = models.CharField(max_length=64)
    # Null within the transaction of the write alone.
    status = models.PositiveSmallIntegerField(null=True)
    result_id = models.PositiveBigIntegerField(null=True)
    # Indexed for clearing away the expired.
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="idempotency_key_once_per_person", fields=["user", "key"]
            ),
        )

    @override
    def __str__(self) -> str:
        return f"idempotency key of {self.user_id}"
