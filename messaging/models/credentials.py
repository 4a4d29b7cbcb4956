from datetime import datetime

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from typing_extensions import override

from messaging.models.conversations import Conversation
from messaging.models.users import User


class InviteCodeQuerySet(QuerySet["InviteCode"]):
    def usable_at(self, now: datetime) -> "InviteCodeQuerySet":
        """Neither expired nor used up, and nobody's whose account is suspended.

        The user is asked for by a subquery and not by a join: PostgreSQL then looks at
        `used` again after it waited for the row in an update.
        """
        active = User.objects.filter(pk=OuterRef("created_by"), is_active=True)
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now),
            Q(created_by__isnull=True) | Exists(active),
            used__lt=F("max_uses"),
        )

    def ended_at(self, now: datetime) -> "InviteCodeQuerySet":
        return self.filter(Q(expires_at__lte=now) | Q(used__gte=F("max_uses")))


class InviteCode(models.Model):
    """An invitation to the server or, with a conversation, to that group.

    `max_uses` people may use its code. Who did is not stored.
    """

    # The code's SHA-256, by which it is looked up: a stolen database holds no usable
    # code.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Null for an invitation to the server.
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="invitations",
    )
    # Null if an operator made it at the command line.
    created_by = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="invitations",
    )
    # Whether people may register with it where an account takes an invitation: whoever
    # made it could invite to the server.
    opens_account = models.BooleanField(default=True, db_default=True, editable=False)
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
