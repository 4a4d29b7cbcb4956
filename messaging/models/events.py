from django.db import models
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from messaging.models.conversations import Conversation
from messaging.models.users import User


class EventType(models.TextChoices):
    MESSAGE_CREATED = "message.created"
    MESSAGE_EDITED = "message.edited"
    MESSAGE_DELETED = "message.deleted"
    MESSAGE_READ = "message.read"
    MESSAGE_UNREAD = "message.unread"
    NOTIFICATION_CREATED = "notification.created"
    CONVERSATION_CREATED = "conversation.created"
    CONVERSATION_UPDATED = "conversation.updated"
    CONVERSATION_DELETED = "conversation.deleted"
    CONVERSATION_RESET = "conversation.reset"
    PARTICIPANT_ADDED = "participant.added"
    PARTICIPANT_REMOVED = "participant.removed"
    USER_UPDATED = "user.updated"


class Event(models.Model):
    """That something happened, and to what: ids only, so that nothing deleted is kept.

    Conversations and messages are named by plain numbers, since an event outlives
    them; people by foreign keys, so that none is left behind.
    """

    Type = EventType

    # The installation's clock: the order in which transactions were committed.
    position = models.PositiveBigIntegerField(primary_key=True)
    type = models.CharField(max_length=20, choices=Type)
    conversation_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    # Messages of the conversation that it is about, from the first to the last.
    first_sequence = models.PositiveBigIntegerField(null=True)
    last_sequence = models.PositiveBigIntegerField(null=True)
    # Whom it is about. Indexes of both people: for deleting their accounts.
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    # Whom alone it is told; null for all who take part in the conversation.
    recipient = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            # What happened in somebody's conversations since they last looked.
            models.Index(
                name="event_in_conversation", fields=["conversation_id", "position"]
            ),
            models.Index(
                name="event_for_recipient",
                fields=["recipient", "position"],
                condition=Q(recipient__isnull=False),
            ),
            # New names concern whoever shares a conversation, and are few.
            models.Index(
                name="event_of_name",
                fields=["position"],
                condition=Q(type="user.updated"),
            ),
            models.Index(
                name="event_about_user",
                fields=["user", "position"],
                condition=Q(user__isnull=False),
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.type} at {self.position}"


class Typing(models.Model):
    """Somebody is writing, until they stop saying so. Never an event: it is gone soon."""

    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "typing"
        constraints = (
            models.UniqueConstraint(
                name="typing_once_per_conversation", fields=["conversation", "user"]
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class Presence(models.Model):
    """Somebody has a stream open at a server process, which says so again in time."""

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    # Random, of the process: its rows outlive it, but not for long.
    process = models.CharField(max_length=32)
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "presence"
        constraints = (
            models.UniqueConstraint(
                name="presence_once_per_process", fields=["user", "process"]
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.user_id} until {self.until}"
