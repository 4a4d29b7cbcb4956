from typing import ClassVar

from django.db import models
from typing_extensions import override


class Installation(models.Model):
    """The one row of facts about this database, made when it is migrated.

    `epoch` is random; restoring a backup renews it, so that nothing cached
    before is served after. `clock` counts writes in commit order. Events up to
    `forgotten` are not kept any more. `names` counts how often somebody's name
    changed.
    """

    ONLY_ID: ClassVar[int] = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ID)
    epoch = models.CharField(max_length=32)
    clock = models.PositiveBigIntegerField(default=0)
    forgotten = models.PositiveBigIntegerField(default=0)
    names = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="installation_is_one_row", condition=models.Q(id=1)
            ),
        )

    @override
    def __str__(self) -> str:
        return f"installation {self.epoch}"
