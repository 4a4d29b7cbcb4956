from django.db import models
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from messaging.ids import UserId
from messaging.models.guarded import GuardedModel, GuardedQuerySet
from messaging.models.users import User


class LookSource(models.TextChoices):
    """The page of the admin by which staff looked."""

    CONVERSATIONS = "conversations"
    PARTICIPANTS = "participants"
    MESSAGES = "messages"
    HISTORIES = "histories"
    NOTIFICATIONS = "notifications"
    # They read nothing, but set a new password: with it they could sign in as the user.
    PASSWORD = "password"  # noqa: S105  # the name of a page


class LookQuerySet(GuardedQuerySet["Look"]):
    """Guarded: only a `Change` writes these rows."""


class Look(GuardedModel):
    """Staff looked at a conversation in the admin; what they saw of it is not kept.

    One row stands for all looks of some minutes. Conversations and messages are plain
    numbers, since a look outlives them. Users are foreign keys, so that deleting an
    account cannot leave one behind.
    """

    Source = LookSource

    # Null if the account was deleted: that somebody looked is still told.
    by = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    source = models.CharField(max_length=13, choices=LookSource)
    # Null for a password.
    conversation_id = models.BigIntegerField(null=True)
    # The message whose own page they opened; null for a list.
    message_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)

    objects = LookQuerySet.as_manager()

    class Meta:
        indexes = (
            # Finds the looks of the last minutes, and all of a deleted account.
            models.Index(name="look_by_whom", fields=["by", "at"]),
            # For clearing the oldest.
            models.Index(name="look_at", fields=["at"]),
        )
        constraints = (
            models.CheckConstraint(
                name="look_is_at_a_conversation_or_password",
                condition=Q(source="password", conversation_id__isnull=True)
                | (~Q(source="password") & Q(conversation_id__isnull=False)),
            ),
        )

    @override
    def __str__(self) -> str:
        return f"look {self.pk} at {self.source}"


class LookNoticeQuerySet(GuardedQuerySet["LookNotice"]):
    def of(self, user_id: UserId) -> "LookNoticeQuerySet":
        return self.filter(user=user_id)

    def new(self) -> "LookNoticeQuerySet":
        return self.filter(is_new=True)


class LookNotice(GuardedModel):
    """Tells one user of a look: who took part in the conversation then, or wrote what
    was shown.
    """

    # No index of its own: the unique one below begins with this column.
    look = models.ForeignKey(
        Look, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    # Until the user says that they have seen it.
    is_new = models.BooleanField(default=True)

    objects = LookNoticeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="look_notice_once_per_user", fields=["look", "user"]
            ),
        )
        indexes = (
            # The list of a user, newest first.
            models.Index(name="look_notice_newest", fields=["user", "-look"]),
            # The mark on every page: whether there are new ones.
            models.Index(
                name="look_notice_new",
                fields=["user", "is_new"],
                condition=Q(is_new=True),
            ),
        )

    @override
    def __str__(self) -> str:
        return f"look {self.look_id} told to {self.user_id}"
