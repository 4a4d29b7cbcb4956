import secrets
from typing import ClassVar, Final

from django.db import models
from typing_extensions import override

from messaging.models.guarded import GuardedModel, GuardedQuerySet

SERVER_NAME_MAX_LENGTH: Final = 60


def random_key() -> str:
    return secrets.token_hex(16)


class InstallationQuerySet(GuardedQuerySet["Installation"]):
    """Guarded: only a `Change` writes these rows."""


class Installation(GuardedModel):
    """The one row of facts about this database, which the migrations create.

    `epoch` is random; a restore renews it, so that nothing cached before is served any
    more. Read it with `OnTimeline`: a failover counts as another one. `clock` is the
    position of the last event that is numbered. Events up to `forgotten` were cleared.
    `server_name` is what pages call the place; `setup_key` is a half of what the code of
    the first run is made of. `secret_key_fingerprint` names the secret key that all nodes
    have.
    """

    ONLY_ID: ClassVar[int] = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY_ID)
    epoch = models.CharField(max_length=32)
    clock = models.PositiveBigIntegerField(default=0)
    forgotten = models.PositiveBigIntegerField(default=0)
    # Unused: a rename now renews only the pages that show the name.
    names = models.PositiveBigIntegerField(default=0)
    # The key of the HMACs by which an import recognises imported messages.
    import_key = models.CharField(max_length=32, default=random_key, editable=False)
    # Pages say "Parley" while it is empty.
    server_name = models.CharField(
        max_length=SERVER_NAME_MAX_LENGTH, default="", db_default="", blank=True
    )
    # Renewed when the code of the first run was used.
    setup_key = models.CharField(max_length=32, default=random_key, editable=False)
    # Empty until the first node starts to serve, and after a restore.
    secret_key_fingerprint = models.CharField(
        max_length=32, default="", db_default="", blank=True, editable=False
    )

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="installation_is_one_row", condition=models.Q(id=1)
            ),
        )

    @override
    def __str__(self) -> str:
        return f"installation {self.epoch}"
