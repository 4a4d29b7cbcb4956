from datetime import datetime

from django.db import models
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from typing_extensions import override


class InviteCodeQuerySet(QuerySet["InviteCode"]):
    def usable_at(self, now: datetime) -> "InviteCodeQuerySet":
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            used__lt=F("max_uses"),
        )

    def use_once(self) -> bool:
        """Count one use; return whether one was left. Safe to race."""
        return self.update(used=F("used") + 1) == 1


class InviteCode(models.Model):
    """A code with which `max_uses` people may register. Who used it is not stored."""

    # The code's SHA-256, by which it is looked up: a stolen database holds no usable
    # code.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    max_uses = models.PositiveIntegerField(default=1)
    used = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = InviteCodeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="invite_code_not_overused",
                condition=Q(used__lte=F("max_uses")),
            ),
        )

    @override
    def __str__(self) -> str:
        return f"invite code {self.pk}, used {self.used} of {self.max_uses}"


class ServiceToken(models.Model):
    """A token of the product that Parley runs beside; it belongs to no user."""

    name = models.CharField(max_length=100, unique=True)
    # SHA-256 of the secret, looked up on every request of the service.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    @override
    def __str__(self) -> str:
        return f"service token {self.name}"
