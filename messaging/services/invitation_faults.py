"""Invitations and removals that break an invariant, and what repairs them."""

from django.db.models import Exists, OuterRef, QuerySet

from messaging.changes import Change
from messaging.models import InviteCode, Participant, Removal
from messaging.models.conversations import ParticipantRole


def of_nobody_who_owns() -> QuerySet[InviteCode]:
    owners = Participant.objects.of_same_conversation().filter(
        user=OuterRef("created_by"), role=ParticipantRole.OWNER
    )
    return InviteCode.objects.filter(~Exists(owners), conversation__isnull=False)


def of_participants() -> QuerySet[Removal]:
    takes_part = Participant.objects.of_same_conversation().filter(
        user=OuterRef("user")
    )
    return Removal.objects.filter(Exists(takes_part))


def erase_invitations(rows: QuerySet[InviteCode], change: Change) -> None:
    change.erase(InviteCode.objects.filter(pk__in=rows.values("pk")))


def erase_removals(rows: QuerySet[Removal], change: Change) -> None:
    change.erase(Removal.objects.filter(pk__in=rows.values("pk")))
