from collections.abc import Collection

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from typing_extensions import override

from messaging.ids import UserId
from messaging.models.users import User


class BlockQuerySet(QuerySet["Block"]):
    def between(self, one: UserId, others: Collection[int]) -> "BlockQuerySet":
        return self.filter(
            Q(blocker=one, blocked__in=others) | Q(blocked=one, blocker__in=others)
        )


class Block(models.Model):
    """One user blocks another: no new message is delivered between them, in either direction."""

    # No index of its own: the unique index begins with this column.
    blocker = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="blocks", db_index=False
    )
    blocked = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="blocked_by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="block_once_per_pair", fields=["blocker", "blocked"]
            ),
            models.CheckConstraint(
                name="block_of_someone_else", condition=~Q(blocker=F("blocked"))
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.blocker_id} blocks {self.blocked_id}"
