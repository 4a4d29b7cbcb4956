"""Nothing is written without a `Change`: see messaging/changes."""

from django.db.models import F

from messaging.changes import Change, changing
from messaging.ids import ConversationId, UserId
from messaging.models import (
    Conversation,
    Event,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    User,
)
from messaging.services.conversations import erase_conversations
from messaging.services.read_marks import mark_fully_read


def right(conversation_id: ConversationId, user_id: UserId) -> None:
    with changing(conversation_id, by=user_id) as change:
        unread = Notification.objects.of(user_id).unread()
        mark_fully_read(unread, reader=user_id, change=change)
        change.update(unread, is_read=True)
        change.erase(Participant.objects.filter(user=user_id))


def rows_past_it(user: User, message: Message) -> None:
    Conversation.objects.update(title="Ours")  # E: call-arg
    Conversation.objects.filter(pk=1).update(version=F("version") + 1)  # E: call-arg
    Message.objects.filter(sender=user).update(read=True)  # E: call-arg
    Message.objects.filter(sender=user).delete()  # E: call-arg
    Message.objects.bulk_create([message])  # E: arg-type
    user.notifications.all().delete()  # E: call-arg
    user.notifications.filter(is_read=False).update(is_read=True)  # E: call-arg
    user.participations.create(role="owner")  # E: call-arg
    Participant.objects.get_or_create(user=user)  # E: call-arg
    Notification.objects.filter(user=user)._raw_delete("default")  # E: arg-type
    message.history.all().delete()  # E: call-arg
    MessageHistory.objects.create(message=message, version=1)  # E: call-arg
    Event.objects.update(type="message.read")  # E: call-arg
    Installation.objects.update(clock=F("clock") + 1)  # E: call-arg


def instances_past_it(
    message: Message, participant: Participant, notification: Notification
) -> None:
    message.delete()  # E: call-arg
    participant.save()  # E: call-arg
    participant.delete()  # E: call-arg
    participant.conversation.save(update_fields=["title"])  # E: call-arg
    notification.save()  # E: call-arg


def services_without_one(user_id: UserId) -> None:
    unread = Notification.objects.of(user_id).unread()
    mark_fully_read(unread, reader=user_id)  # E: call-arg
    erase_conversations(Conversation.objects.all(), change=None)  # E: arg-type


def one_of_its_own() -> Change:
    return Change()  # E: call-arg
