from django.db import models
from django.db.models import Q
from django.utils import timezone
from typing_extensions import override

from messaging.ids import Position
from messaging.models.conversations import Conversation
from messaging.models.guarded import GuardedModel, GuardedQuerySet
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
    # Not delivered to clients: processes with open streams check the streams'
    # credentials.
    ACCESS_ENDED = "access.ended"


class EventQuerySet(GuardedQuerySet["Event"]):
    """Guarded: only a `Change` writes these rows."""

    def waiting(self) -> "EventQuerySet":
        """Those that are committed, or the transaction's own, and not numbered yet."""
        return self.filter(position__isnull=True)


class Event(GuardedModel):
    """A change, described by ids alone: so the log holds nothing that was deleted.

    Conversations and messages are plain numbers, since an event outlives them. Users
    are foreign keys, so that deleting an account cannot leave one behind.
    """

    Type = EventType

    # Taken in the transaction that writes the row, under the locks of its change: so of
    # two events of one conversation, the later has the higher one.
    id = models.BigAutoField(primary_key=True)
    # Its place in the log, which every reader sees in order; null until it is numbered,
    # after its transaction has committed. See messaging/changes/numbering.py.
    position = models.PositiveBigIntegerField(null=True, unique=True)
    type = models.CharField(max_length=20, choices=Type)
    conversation_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    # The range of messages that the event is about.
    first_sequence = models.PositiveBigIntegerField(null=True)
    last_sequence = models.PositiveBigIntegerField(null=True)
    # The user whom the event is about. The indexes of both users are for deleting
    # accounts.
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    # The only user it is delivered to; null for all participants of the conversation.
    recipient = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = (
            # Those that are not numbered yet.
            models.Index(
                name="event_waiting", fields=["id"], condition=Q(position__isnull=True)
            ),
            # Reads the events of a user's conversations after a position.
            models.Index(
                name="event_in_conversation", fields=["conversation_id", "position"]
            ),
            models.Index(
                name="event_for_recipient",
                fields=["recipient", "position"],
                condition=Q(recipient__isnull=False),
            ),
            # A rename is read by all who share a conversation with the user. There are
            # few.
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

    @property
    def place(self) -> Position:
        """The position of an event that was read from the log: all of them have one."""
        if self.position is None:
            raise ValueError("This event is not numbered yet.")
        return Position(self.position)

    @override
    def __str__(self) -> str:
        return f"{self.type}, {self.pk}"


class Typing(models.Model):
    """A user is typing, until the row expires. No event, since it is over within seconds."""

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


class LastSeen(models.Model):
    """When a user last had a stream open; none of users who hide their presence."""

    user = models.OneToOneField(
        User, on_delete=models.DO_NOTHING, primary_key=True, related_name="last_seen"
    )
    # Up to three minutes early, to save writes.
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "last seen"

    @override
    def __str__(self) -> str:
        return f"{self.user_id} at {self.at}"


class Presence(models.Model):
    """A user has a stream open at a server process, which renews the row before it expires."""

    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="+", db_index=False
    )
    # A random id of the process. Its rows outlive the process, but expire soon.
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
