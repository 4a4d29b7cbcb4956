"""Messages that break an invariant, and what repairs them: numbers, replies, tombstones, versions."""

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from messaging.changes import Change
from messaging.models import Conversation, Message, MessageHistory, Notification
from messaging.services.tombstones import needed_among


def numbered_twice() -> QuerySet[Message]:
    earlier = Message.objects.filter(
        conversation=OuterRef("conversation"),
        sequence=OuterRef("sequence"),
        pk__lt=OuterRef("pk"),
    )
    return Message.objects.filter(Exists(earlier))


def numbered_beyond_the_last() -> QuerySet[Conversation]:
    beyond = Message.objects.filter(
        conversation=OuterRef("pk"), sequence__gt=OuterRef("last_sequence")
    )
    return Conversation.objects.filter(Exists(beyond))


def raise_last_sequence(conversations: QuerySet[Conversation], change: Change) -> None:
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-sequence")
    change.update(conversations, last_sequence=Subquery(newest.values("sequence")[:1]))


def parent_missing() -> QuerySet[Message]:
    # By the column: a join would leave out rows whose parent is missing.
    parent = Message.objects.filter(pk=OuterRef("parent_message_id"))
    return Message.objects.filter(~Exists(parent), parent_message_id__isnull=False)


def parent_elsewhere() -> QuerySet[Message]:
    return Message.objects.exclude(
        parent_message__conversation=F("conversation")
    ).filter(parent_message__conversation__isnull=False)


def parent_later() -> QuerySet[Message]:
    return Message.objects.filter(
        parent_message__conversation=F("conversation"),
        parent_message__sequence__gte=F("sequence"),
    )


def orphan_tombstones() -> QuerySet[Message]:
    tombstones = Message.objects.filter(sender__isnull=True)
    needed = needed_among(tombstones, surviving=Q(sender__isnull=False))
    return tombstones.exclude(pk__in=needed)


def erase_messages(messages: QuerySet[Message], change: Change) -> None:
    clear_tombstones(messages, change)
    change.erase(Message.objects.filter(pk__in=messages.values("pk")))


def tombstones_that_keep_something() -> QuerySet[Message]:
    return Message.objects.filter(
        Exists(MessageHistory.objects.filter(message=OuterRef("pk")))
        | Exists(Notification.objects.filter(message=OuterRef("pk")))
        | Q(external_id__isnull=False),
        sender__isnull=True,
    )


def clear_tombstones(tombstones: QuerySet[Message], change: Change) -> None:
    ids = tombstones.values("pk")
    change.erase(MessageHistory.objects.filter(message__in=ids))
    change.erase(Notification.objects.filter(message__in=ids))
    change.update(Message.objects.filter(pk__in=ids), external_id=None)


def miscounted_replies() -> QuerySet[Message]:
    return Message.objects.exclude(reply_count=_number_of_replies())


def _number_of_replies() -> Coalesce:
    replies = (
        Message.objects.filter(parent_message=OuterRef("pk"))
        .order_by()
        .values("parent_message")
        .annotate(number=Count("pk"))
    )
    return Coalesce(Subquery(replies.values("number")), 0)


def count_replies(messages: QuerySet[Message], change: Change) -> None:
    miscounted = Message.objects.filter(pk__in=messages.values("pk"))
    change.update(miscounted, reply_count=_number_of_replies())


def wrong_content_versions() -> QuerySet[Message]:
    written = Message.objects.filter(sender__isnull=False)
    return written.annotate(
        kept=_of_history(Count("pk")), newest=_of_history(Max("version"))
    ).exclude(kept=F("content_version") - 1, newest=F("content_version") - 1)


def kept_elsewhere() -> QuerySet[MessageHistory]:
    return MessageHistory.objects.exclude(conversation=F("message__conversation"))


def recompute_conversation(versions: QuerySet[MessageHistory], change: Change) -> None:
    message = Message.objects.filter(pk=OuterRef("message"))
    change.update(
        MessageHistory.objects.filter(pk__in=versions.values("pk")),
        conversation=Subquery(message.values("conversation")),
    )


def _of_history(measure: Count | Max) -> Coalesce:
    kept = MessageHistory.objects.filter(message=OuterRef("pk")).order_by()
    measured = kept.values("message").annotate(measure=measure)
    return Coalesce(Subquery(measured.values("measure")), 0)


def raise_content_version(messages: QuerySet[Message], change: Change) -> None:
    """If the history has no gaps, raise the version above it; never lower it.

    No version may stand for two contents.
    """
    behind = (
        Message.objects.filter(pk__in=messages.values("pk"))
        .annotate(kept=_of_history(Count("pk")), newest=_of_history(Max("version")))
        .filter(kept=F("newest"), content_version__lte=F("newest"))
    )
    change.update(
        Message.objects.filter(pk__in=behind.values("pk")),
        content_version=_of_history(Max("version")) + 1,
        edited=True,
    )
