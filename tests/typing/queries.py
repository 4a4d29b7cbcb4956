"""A compiled query takes the parameters of its function, and gives what it gives."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import QuerySet

from messaging.database import CompiledQuery
from messaging.database.writes import CompiledUpdate
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Message


@CompiledQuery
def sent(*, sender: UserId, since: datetime) -> QuerySet[Message, tuple[int, str]]:
    messages = Message.objects.filter(sender=sender, timestamp__gte=since)
    return messages.values_list("pk", "content")


@CompiledUpdate
def rename(
    *, conversation: ConversationId, title: str
) -> tuple[QuerySet[Conversation], Mapping[str, object]]:
    return Conversation.objects.filter(pk=conversation), {"title": title}


def right(user: UserId, since: datetime) -> list[tuple[int, str]]:
    return sent.page(10, sender=user, since=since)


def wrong_parameters(
    user: UserId, conversation: ConversationId, since: datetime
) -> None:
    sent.all(sender=user)  # E: call-arg
    sent.all(sendr=user, since=since)  # E: call-arg
    sent.all(sender=user, since=since, title="")  # E: call-arg
    sent.all(sender=[user], since=since)  # E: arg-type
    sent.all(sender=conversation, since=since)  # E: arg-type
    sent.first(sender=user, since=None)  # E: arg-type
    sent.page(10, sender=user)  # E: call-arg
    rename.run(conversation=conversation)  # E: call-arg
    rename.run(conversation=user, title="")  # E: arg-type


def wrong_results(user: UserId, since: datetime) -> None:
    for key, _ in sent.all(sender=user, since=since):
        key.upper()  # E: attr-defined
    sent.first(sender=user, since=since)[0]  # E: index
