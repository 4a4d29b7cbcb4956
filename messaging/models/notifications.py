from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.utils import timezone
from typing_extensions import override

from messaging.ids import UserId
from messaging.models.conversations import Conversation
from messaging.models.guarded import GuardedModel, GuardedQuerySet
from messaging.models.messages import Message
from messaging.models.users import User


class NotificationQuerySet(GuardedQuerySet["Notification"]):
    def unread(self) -> "NotificationQuerySet":
        return self.filter(is_read=False)

    def unread_in(self, conversation: Combinable) -> "NotificationQuerySet":
        """Unread notifications of a conversation; the index finds them without reading others.

        SQLite uses the index for `is_read IN (0)`, but not for the `NOT is_read` of
        `unread()`.
        """
        return self.filter(conversation=conversation, is_read__in=(False,))

    def unread_mentions(self) -> "NotificationQuerySet":
        """Unread mentions; an index finds those of a conversation without reading others.

        With `is_read__in`, SQLite would not use it.
        """
        return self.filter(is_read=False, kind=NotificationKind.MENTION)

    def of(self, user_id: UserId) -> "NotificationQuerySet":
        return self.filter(user=user_id)


class NotificationKind(models.TextChoices):
    MENTION = "mention"
    REPLY = "reply"
    MESSAGE = "message"


class Notification(GuardedModel):
    """Notifies one user of one message. Unread notifications are the unread state.

    Once read, only mentions and replies are kept. Who else was notified of a message
    follows from its conversation: see `services/receipts.py`.
    """

    Kind = NotificationKind

    # No indexes of their own: those below begin with these three columns.
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
    # The message's conversation, stored so that unread messages of a conversation are
    # counted by an index alone.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=7, choices=Kind)
    # The id of the event that told of it: whether it had arrived when the inbox was read.
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
            # Lists all notifications of a user, by message, newest first.
            models.Index(name="notification_newest", fields=["user", "-message"]),
            # The inbox and its count, without reading notifications that were read.
            # With `is_read` SQLite too counts by the index alone, in half the time.
            models.Index(
                name="notification_inbox",
                fields=["user", "-message", "is_read"],
                condition=Q(is_read=False),
            ),
            # Counts the mentions in the inbox, and those of each muted conversation: with
            # all these columns, SQLite takes it and not that of all unread messages.
            models.Index(
                name="notification_mentions",
                fields=["user", "conversation", "kind", "is_read"],
                condition=Q(is_read=False, kind="mention"),
            ),
            # Counts the unread messages of each conversation in the list, and finds the
            # oldest since some message.
            models.Index(
                name="notification_unread_count",
                fields=["conversation", "user", "is_read", "message"],
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}"
