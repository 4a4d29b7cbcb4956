from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone
from typing_extensions import override

from messaging.ids import UserId
from messaging.models.conversations import Conversation
from messaging.models.messages import Message
from messaging.models.users import User


class NotificationQuerySet(QuerySet["Notification"]):
    def unread(self) -> "NotificationQuerySet":
        return self.filter(is_read=False)

    def unread_in(self, conversation: Combinable) -> "NotificationQuerySet":
        """Those of a conversation, without going through what was read there.

        SQLite looks a value up in an index, but not the `NOT is_read` of `unread()`.
        """
        return self.filter(conversation=conversation, is_read__in=(False,))

    def of(self, user_id: UserId) -> "NotificationQuerySet":
        return self.filter(user=user_id)


class NotificationKind(models.TextChoices):
    MENTION = "mention"
    REPLY = "reply"
    MESSAGE = "message"


class Notification(models.Model):
    """Tells one person of one message. An unread one *is* the unread state."""

    Kind = NotificationKind

    # None of the three has an index of its own: the ones below begin with them.
    user = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        related_name="notifications",
        db_index=False,
    )
    message = models.ForeignKey(
        Message,
        on_delete=models.CASCADE,
        related_name="notifications",
        db_index=False,
    )
    # The message's, so that counting what is unread in a conversation reads
    # nothing but an index.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=7, choices=Kind)
    # The installation's clock when it was made: the inbox's order, in which
    # nothing can appear behind what was already seen.
    position = models.PositiveBigIntegerField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    is_read = models.BooleanField(default=False)
    silent = models.BooleanField(default=False)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="notification_once_per_message", fields=["message", "user"]
            ),
        )
        indexes = (
            # All of a person's notifications, newest first.
            models.Index(name="notification_newest", fields=["user", "-position"]),
            # The inbox and its count: never reads what was read. Without `is_read`
            # SQLite takes the index for one that does not cover the count, which
            # then takes nearly twice as long.
            models.Index(
                name="notification_inbox",
                fields=["user", "-position", "is_read"],
                condition=Q(is_read=False),
            ),
            # How many of the inbox mention their reader.
            models.Index(
                name="notification_mentions",
                fields=["user", "-position"],
                condition=Q(is_read=False, kind="mention"),
            ),
            # Unread count of each conversation in the list.
            models.Index(
                name="notification_unread_count",
                fields=["conversation", "user", "is_read"],
            ),
            # Whether anybody has not read a message yet.
            models.Index(
                name="notification_pending",
                fields=["message"],
                condition=Q(is_read=False),
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
