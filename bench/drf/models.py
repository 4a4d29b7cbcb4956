from django.conf import settings
from django.db import models
from django.utils import timezone

USER = settings.AUTH_USER_MODEL


class Conversation(models.Model):
    title = models.CharField(max_length=200, blank=True)
    participants = models.ManyToManyField(USER, related_name="conversations")
    last_activity_at = models.DateTimeField(default=timezone.now)


class Message(models.Model):
    conversation = models.ForeignKey(
        Conversation, models.CASCADE, related_name="messages", db_index=False
    )
    sender = models.ForeignKey(USER, models.CASCADE, related_name="sent_messages")
    receiver = models.ForeignKey(
        USER, models.CASCADE, null=True, related_name="received_messages"
    )
    content = models.TextField()
    timestamp = models.DateTimeField(default=timezone.now)
    read = models.BooleanField(default=False)
    edited = models.BooleanField(default=False)
    parent_message = models.ForeignKey(
        "self", models.CASCADE, null=True, related_name="replies"
    )

    class Meta:
        indexes = (models.Index(fields=["conversation", "-id"]),)


class MessageHistory(models.Model):
    message = models.ForeignKey(Message, models.CASCADE, related_name="history")
    old_content = models.TextField()
    edited_at = models.DateTimeField(default=timezone.now)
    edited_by = models.ForeignKey(USER, models.CASCADE)


class Notification(models.Model):
    user = models.ForeignKey(
        USER, models.CASCADE, related_name="notifications", db_index=False
    )
    message = models.ForeignKey(Message, models.CASCADE, related_name="notifications")
    conversation = models.ForeignKey(Conversation, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)
    is_read = models.BooleanField(default=False)

    class Meta:
        indexes = (
            models.Index(fields=["user", "is_read", "-id"]),
            models.Index(fields=["conversation", "user", "is_read"]),
        )
