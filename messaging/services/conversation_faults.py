"""Conversations that break an invariant, and what repairs them: pairs, owners, activity."""

from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from messaging.changes import Change
from messaging.models import Conversation, Message, Participant
from messaging.models.conversations import ConversationKind
from messaging.services.owners import give_owners

# The clocks of two servers differ a little.
_SKEW: Final = timedelta(minutes=5)


def incomplete_pairs() -> QuerySet[Conversation]:
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


def without_owner() -> QuerySet[Conversation]:
    owners = Participant.objects.owners_of(OuterRef("pk"))
    return Conversation.objects.filter(~Exists(owners), kind=ConversationKind.GROUP)


def repair_ownership(groups: QuerySet[Conversation], change: Change) -> None:
    """Give a group without owner its longest-standing member as one.

    A group without participants stays as it is: nobody knows who owned it.
    """
    give_owners(groups.values_list("pk", flat=True), change=change)


def active_in_the_future() -> QuerySet[Conversation]:
    """Active more than `_SKEW` ahead of now."""
    return Conversation.objects.filter(last_activity_at__gt=timezone.now() + _SKEW)


def recompute_last_activity(
    conversations: QuerySet[Conversation], change: Change
) -> None:
    """Use the latest message that is not in the future, or else the conversation's creation."""
    past = Message.objects.filter(
        conversation=OuterRef("pk"), timestamp__lte=timezone.now()
    )
    change.update(
        Conversation.objects.filter(pk__in=conversations.values("pk")),
        last_activity_at=Coalesce(
            Subquery(past.order_by("-timestamp").values("timestamp")[:1]),
            Least("created_at", Value(timezone.now())),
        ),
    )
