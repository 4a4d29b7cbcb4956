"""The owners of groups: each group with participants has at least one."""

from collections.abc import Collection, Mapping

from django.db.models import Exists, QuerySet, Subquery

from messaging.access import Membership, Ownership
from messaging.changes import Change, changing_as_owner
from messaging.errors import OwnerRequiredError
from messaging.ids import ConversationId
from messaging.models import Conversation, InviteCode, Participant
from messaging.models.conversations import ParticipantRole
from messaging.services.conversations import conversation_updated
from messaging.services.participant_lists import participant_named


def add_owner(*, group: Ownership, username: str) -> None:
    """Make a participant one more owner of a group; idempotent.

    Raises:
        ParticipantNotFoundError: no participant has this name.
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    with changing_as_owner(group) as change:
        participant = participant_named(group, username)
        if participant.role != ParticipantRole.OWNER:
            _set_roles({participant.pk: ParticipantRole.OWNER}, group, change)


def remove_owner(*, group: Ownership, username: str) -> None:
    """Make an owner, perhaps the caller, a member again; idempotent.

    Raises:
        OwnerRequiredError: nobody else owns the group.
        ParticipantNotFoundError: no participant has this name.
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    with changing_as_owner(group) as change:
        participant = participant_named(group, username)
        if participant.role != ParticipantRole.OWNER:
            return
        owners = Participant.objects.owners_of(group.conversation_id)
        if not owners.exclude(pk=participant.pk).exists():
            raise OwnerRequiredError(
                "A group has an owner: make someone else an owner first."
            )
        _set_roles({participant.pk: ParticipantRole.MEMBER}, group, change)


def hand_over(*, group: Ownership, username: str) -> None:
    """Make a participant an owner, and the caller a member.

    Raises:
        ParticipantNotFoundError: no participant has this name.
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    with changing_as_owner(group) as change:
        heir = participant_named(group, username)
        if heir.pk != group.pk:
            roles = {heir.pk: ParticipantRole.OWNER, group.pk: ParticipantRole.MEMBER}
            _set_roles(roles, group, change)


def owns_alone(*, membership: Membership) -> bool:
    """Whether a participant is the only owner of a group."""
    owners = Participant.objects.owners_of(membership.conversation_id)
    return list(owners.values_list("pk", flat=True)[:2]) == [membership.pk]


def give_owners(
    conversations: Collection[int] | QuerySet[Conversation, int], *, change: Change
) -> None:
    """Give each of these groups that has no owner its longest-standing member as one."""
    everyone = Participant.objects.of_same_conversation()
    heirs = Participant.objects.filter(
        ~Exists(everyone.filter(role=ParticipantRole.OWNER)),
        conversation__in=conversations,
        pk=Subquery(everyone.longest_first().values("pk")[:1]),
    )
    change.update(heirs, role=ParticipantRole.OWNER)


def _set_roles(
    roles: Mapping[int, ParticipantRole], group: Ownership, change: Change
) -> None:
    for pk, role in roles.items():
        change.update(Participant.objects.filter(pk=pk), role=role)
    _withdraw_invitations_of_members(group, change)
    change.record(conversation_updated(ConversationId(group.conversation_id)))


def _withdraw_invitations_of_members(group: Ownership, change: Change) -> None:
    """What somebody made as an owner ends when they are one no more."""
    owners = Participant.objects.owners_of(group.conversation_id)
    invitations = InviteCode.objects.filter(conversation=group.conversation_id)
    change.erase(invitations.exclude(created_by__in=owners.values("user")))
