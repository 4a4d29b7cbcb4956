"""Whether the database keeps what the design promises, and putting right what it can.

Each check is one statement that finds the rows which break a promise: on a
database in use it sees a single moment, and reports nothing half done. What
follows from other rows is repaired under its conversation's lock; what nothing
tells any more is reported and left.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from django.db import transaction
from django.db.models import (
    Count,
    Exists,
    F,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django_cte import CTE, with_cte

from messaging.access import lock_conversations
from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
)
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.services.conversations import erase_rows

# Named of each finding; there may be millions.
SHOWN: Final = 20
# Conversations that one transaction repairs, and locks that long.
_BATCH: Final = 100

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Finding:
    """Rows that break a promise: of which model, how many, the ids of the first."""

    promise: str
    model: str
    count: int
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Repair:
    """Rows that broke a promise and no longer do."""

    promise: str
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class Check(Generic[Row]):
    """A promise, what breaks it, and what puts that right, if anything can.

    `conversation` leads from a faulty row to the conversation to lock.
    """

    promise: str
    faults: Callable[[], QuerySet[Row]]
    conversation: str
    mend: Callable[[QuerySet[Row]], object] | None = None

    def find(self) -> Finding | None:
        faults = self.faults()
        ids = list(faults.order_by("pk").values_list("pk", flat=True)[:SHOWN])
        if not ids:
            return None
        count = faults.count() if len(ids) == SHOWN else len(ids)
        return Finding(self.promise, self._model, count, ids)

    def repair(self) -> Repair | None:
        if self.mend is None:
            return None
        count, last = 0, 0
        while ids := self._conversations_after(last):
            count += self._mend_in(ids, self.mend)
            last = ids[-1]
        return Repair(self.promise, self._model, count) if count else None

    @property
    def _model(self) -> str:
        return str(self.faults().model._meta.verbose_name)

    def _conversations_after(self, last: int) -> list[int]:
        faults = self.faults().filter(**{f"{self.conversation}__gt": last})
        found = faults.order_by(self.conversation).values_list(
            self.conversation, flat=True
        )
        return list(found.distinct()[:_BATCH])

    def _mend_in(
        self, ids: Sequence[int], mend: Callable[[QuerySet[Row]], object]
    ) -> int:
        """Found again under the lock: what was faulty may be right by now."""
        with transaction.atomic():
            locked = lock_conversations(Conversation.objects.filter(pk__in=ids))
            faults = self.faults().filter(**{f"{self.conversation}__in": locked})
            before = faults.count()
            mend(faults)
            mended = before - faults.count()
            if mended:
                pages = Conversation.objects.filter(pk__in=locked)
                pages.update(version=F("version") + 1)
        return mended


def find_inconsistencies() -> Iterator[Finding]:
    """What breaks a promise, in the order of `CHECKS`."""
    return (finding for check in CHECKS if (finding := check.find()))


def repair_inconsistencies() -> Iterator[Repair]:
    """Put right what follows from other rows; later repairs build on earlier ones."""
    return (repair for check in CHECKS if (repair := check.repair()))


def _numbered_twice() -> QuerySet[Message]:
    earlier = Message.objects.filter(
        conversation=OuterRef("conversation"),
        sequence=OuterRef("sequence"),
        pk__lt=OuterRef("pk"),
    )
    return Message.objects.filter(Exists(earlier))


def _numbered_beyond_the_last() -> QuerySet[Conversation]:
    beyond = Message.objects.filter(
        conversation=OuterRef("pk"), sequence__gt=OuterRef("last_sequence")
    )
    return Conversation.objects.filter(Exists(beyond))


def _raise_last_sequence(conversations: QuerySet[Conversation]) -> None:
    newest = Message.objects.filter(conversation=OuterRef("pk")).order_by("-sequence")
    conversations.update(last_sequence=Subquery(newest.values("sequence")[:1]))


def _parent_missing() -> QuerySet[Message]:
    # By the column: a join would find that nothing is there, and so no fault.
    parent = Message.objects.filter(pk=OuterRef("parent_message_id"))
    return Message.objects.filter(~Exists(parent), parent_message_id__isnull=False)


def _parent_elsewhere() -> QuerySet[Message]:
    return Message.objects.exclude(
        parent_message__conversation=F("conversation")
    ).filter(parent_message__conversation__isnull=False)


def _parent_later() -> QuerySet[Message]:
    return Message.objects.filter(
        parent_message__conversation=F("conversation"),
        parent_message__sequence__gte=F("sequence"),
    )


def _orphan_tombstones() -> QuerySet[Message]:
    tombstones = Message.objects.filter(sender__isnull=True)
    surviving = Message.objects.filter(
        parent_message=OuterRef("pk"), sender__isnull=False
    )

    def climb(kept: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first = tombstones.filter(Exists(surviving))
        above = kept.join(tombstones, id=kept.col.parent_message_id)
        # UNION without ALL ends even where parents go in a circle.
        return first.values("id", "parent_message_id").union(
            above.values("id", "parent_message_id")
        )

    kept = CTE.recursive(climb, name="kept")
    rows: QuerySet[Message, Mapping[str, object]] = kept.queryset()
    return tombstones.exclude(pk__in=with_cte(kept, select=rows.values("id")))


def _erase_messages(messages: QuerySet[Message]) -> None:
    _empty_out(messages)
    erase_rows(Message.objects.filter(pk__in=messages.values("pk")))


def _tombstones_that_keep_something() -> QuerySet[Message]:
    return Message.objects.filter(
        Exists(MessageHistory.objects.filter(message=OuterRef("pk")))
        | Exists(Notification.objects.filter(message=OuterRef("pk"))),
        sender__isnull=True,
    )


def _empty_out(tombstones: QuerySet[Message]) -> None:
    erase_rows(MessageHistory.objects.filter(message__in=tombstones.values("pk")))
    erase_rows(Notification.objects.filter(message__in=tombstones.values("pk")))


def _miscounted_replies() -> QuerySet[Message]:
    return Message.objects.exclude(reply_count=_number_of_replies())


def _number_of_replies() -> Coalesce:
    replies = (
        Message.objects.filter(parent_message=OuterRef("pk"))
        .order_by()
        .values("parent_message")
        .annotate(number=Count("pk"))
    )
    return Coalesce(Subquery(replies.values("number")), 0)


def _count_replies(messages: QuerySet[Message]) -> None:
    miscounted = Message.objects.filter(pk__in=messages.values("pk"))
    miscounted.update(reply_count=_number_of_replies())


def _versions_astray() -> QuerySet[Message]:
    written = Message.objects.filter(sender__isnull=False)
    return written.annotate(
        kept=_of_history(Count("pk")), newest=_of_history(Max("version"))
    ).exclude(kept=F("content_version") - 1, newest=F("content_version") - 1)


def _of_history(measure: Count | Max) -> Coalesce:
    kept = MessageHistory.objects.filter(message=OuterRef("pk")).order_by()
    measured = kept.values("message").annotate(measure=measure)
    return Coalesce(Subquery(measured.values("measure")), 0)


def _raise_content_version(messages: QuerySet[Message]) -> None:
    """Only up, above a history without gaps: a version never names two contents."""
    behind = (
        Message.objects.filter(pk__in=messages.values("pk"))
        .annotate(kept=_of_history(Count("pk")), newest=_of_history(Max("version")))
        .filter(kept=F("newest"), content_version__lte=F("newest"))
    )
    Message.objects.filter(pk__in=behind.values("pk")).update(
        content_version=_of_history(Max("version")) + 1, edited=True
    )


def _notified_elsewhere() -> QuerySet[Notification]:
    return Notification.objects.exclude(conversation=F("message__conversation"))


def _notify_where_it_is(notifications: QuerySet[Notification]) -> None:
    message = Message.objects.filter(pk=OuterRef("message"))
    Notification.objects.filter(pk__in=notifications.values("pk")).update(
        conversation=Subquery(message.values("conversation"))
    )


def _notified_in_vain() -> QuerySet[Notification]:
    part = Participant.objects.filter(
        conversation=OuterRef("message__conversation"), user=OuterRef("user")
    )
    return Notification.objects.filter(~Exists(part) | Q(message__sender=F("user")))


def _erase_notifications(notifications: QuerySet[Notification]) -> None:
    erase_rows(Notification.objects.filter(pk__in=notifications.values("pk")))


def _wrongly_read() -> QuerySet[Message]:
    unread = Notification.objects.unread().filter(message=OuterRef("pk"))
    return Message.objects.filter(
        Q(Exists(unread), read=True) | Q(~Exists(unread), read=False)
    )


def _turn_read(messages: QuerySet[Message]) -> None:
    wrong = Message.objects.filter(pk__in=messages.values("pk"))
    wrong.update(read=~F("read"))


def _pair_incomplete() -> QuerySet[Conversation]:
    everyone = Participant.objects.filter(conversation=OuterRef("pk"))
    strangers = everyone.exclude(
        Q(user=OuterRef("low_user")) | Q(user=OuterRef("high_user"))
    )
    return Conversation.objects.filter(
        Exists(strangers)
        | ~Exists(everyone.filter(user=OuterRef("low_user")))
        | ~Exists(everyone.filter(user=OuterRef("high_user"))),
        kind=ConversationKind.DIRECT,
    )


def _not_owned_by_one() -> QuerySet[Conversation]:
    owners = Count("participants", filter=Q(participants__role=ParticipantRole.OWNER))
    return (
        Conversation.objects.filter(kind=ConversationKind.GROUP)
        .annotate(owners=owners)
        .exclude(owners=1)
    )


def _settle_ownership(groups: QuerySet[Conversation]) -> None:
    """Of several owners the longest keeps the group; of none, the longest member gets it.

    A group that nobody takes part in stays as it is: it cannot be told whose it was.
    """
    same_group = Participant.objects.filter(conversation=OuterRef("conversation"))
    owners = Participant.objects.filter(
        conversation__in=groups.values("pk"), role=ParticipantRole.OWNER
    )
    longest_owner = same_group.filter(role=ParticipantRole.OWNER).longest_first()
    owners.exclude(pk=Subquery(longest_owner.values("pk")[:1])).update(
        role=ParticipantRole.MEMBER
    )
    longest = same_group.longest_first()
    Participant.objects.filter(
        conversation__in=groups.values("pk"), pk=Subquery(longest.values("pk")[:1])
    ).update(role=ParticipantRole.OWNER)


# What is counted comes after what it counts.
CHECKS: Final[
    tuple[Check[Message] | Check[Conversation] | Check[Notification], ...]
] = (
    Check(
        "no two messages of a conversation have one sequence",
        _numbered_twice,
        "conversation",
    ),
    Check(
        "no sequence is beyond its conversation's last",
        _numbered_beyond_the_last,
        "pk",
        _raise_last_sequence,
    ),
    Check("every parent exists", _parent_missing, "conversation"),
    Check("a parent is of the same conversation", _parent_elsewhere, "conversation"),
    Check("a parent came before its replies", _parent_later, "conversation"),
    Check(
        "below every tombstone a message survives",
        _orphan_tombstones,
        "conversation",
        _erase_messages,
    ),
    Check(
        "a tombstone keeps no history and no notification",
        _tombstones_that_keep_something,
        "conversation",
        _empty_out,
    ),
    Check(
        "reply_count is the number of replies",
        _miscounted_replies,
        "conversation",
        _count_replies,
    ),
    Check(
        "content_version is one more than the versions kept",
        _versions_astray,
        "conversation",
        _raise_content_version,
    ),
    Check(
        "a notification names its message's conversation",
        _notified_elsewhere,
        "message__conversation",
        _notify_where_it_is,
    ),
    Check(
        "only participants are notified, and never the sender",
        _notified_in_vain,
        "message__conversation",
        _erase_notifications,
    ),
    Check(
        "a message is read when no unread notification of it is left",
        _wrongly_read,
        "conversation",
        _turn_read,
    ),
    Check(
        "a direct conversation has its two people as participants",
        _pair_incomplete,
        "pk",
    ),
    Check(
        "a group has one owner",
        _not_owned_by_one,
        "pk",
        _settle_ownership,
    ),
)
