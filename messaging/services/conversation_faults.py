"""Conversations that break an invariant, and what repairs them: pairs, owners, activity."""

from datetime import timedelta
from typing import Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from messaging.changes import Change
from messaging.models import Conversation, Message, Participant
from messaging.models.conversations import ConversationKind, ParticipantRole

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


def not_owned_by_one() -> QuerySet[Conversation]:
    owners = Count("participants", filter=Q(participants__role=ParticipantRole.OWNER))
    return (
        Conversation.objects.filter(kind=ConversationKind.GROUP)
        .annotate(owners=owners)
        .exclude(owners=1)
    )


def repair_ownership(groups: QuerySet[Conversation], change: Change) -> None:
    """Leave a group with one owner: its longest-standing owner, else its longest-standing member.

    A group without participants stays as it is: nobody knows who owned it.
    """
    same_group = Participant.objects.filter(conversation=OuterRef("conversation"))
    owners = Participant.objects.filter(
        conversation__in=groups.values("pk"), role=ParticipantRole.OWNER
    )
    longest_owner = same_group.filter(role=ParticipantRole.OWNER).longest_first()
    others = owners.exclude(pk=Subquery(longest_owner.values("pk")[:1]))
    change.update(others, role=ParticipantRole.MEMBER)
    longest = same_group.longest_first()
    heirs = Participant.objects.filter(
        conversation__in=groups.values("pk"), pk=Subquery(longest.values("pk")[:1])
    )
    change.update(heirs, role=ParticipantRole.OWNER)


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
