"""Notifications that break an invariant, and the unread state that follows from them."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from messaging.changes import Change
from messaging.models import Message, Notification, Participant


def notified_elsewhere() -> QuerySet[Notification]:
    return Notification.objects.exclude(conversation=F("message__conversation"))


def recompute_conversation(
    notifications: QuerySet[Notification], change: Change
) -> None:
    message = Message.objects.filter(pk=OuterRef("message"))
    change.update(
        Notification.objects.filter(pk__in=notifications.values("pk")),
        conversation=Subquery(message.values("conversation")),
    )


def misdirected_notifications() -> QuerySet[Notification]:
    participant = Participant.objects.filter(
        conversation=OuterRef("message__conversation"), user=OuterRef("user")
    )
    return Notification.objects.filter(
        ~Exists(participant) | Q(message__sender=F("user"))
    )


def erase_notifications(notifications: QuerySet[Notification], change: Change) -> None:
    change.erase(Notification.objects.filter(pk__in=notifications.values("pk")))


def wrongly_read() -> QuerySet[Message]:
    unread = Notification.objects.unread().filter(message=OuterRef("pk"))
    return Message.objects.filter(
        Q(Exists(unread), read=True) | Q(~Exists(unread), read=False)
    )


def recompute_read(messages: QuerySet[Message], change: Change) -> None:
    wrong = Message.objects.filter(pk__in=messages.values("pk"))
    change.update(wrong, read=~F("read"))
