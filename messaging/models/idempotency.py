from django.db import models
from django.utils import timezone
from typing_extensions import override

from messaging.models.users import User


class IdempotencyKey(models.Model):
    """The result of a write that its client may repeat.

    Only the status and the result's id are stored. The body is composed again for a
    replay, so that it shows nothing that was deleted since.
    """

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    # A digest of method, path and body: the same key for another request is a mistake.
    fingerprint = models.CharField(max_length=64)
    # Null only while the transaction of the write runs.
    status = models.PositiveSmallIntegerField(null=True)
    result_id = models.PositiveBigIntegerField(null=True)
    # Indexed, to find expired rows.
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
