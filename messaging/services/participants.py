"""The participants of a group: adding and removing them, leaving, handing the group over."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from django.db.models import QuerySet

from messaging.access import Membership, Ownership
from messaging.changes import Change, changing, changing_as_owner
from messaging.database import CompiledQuery
from messaging.errors import DirectConversationError, OwnerRequiredError
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Event, Participant, Removal, User
from messaging.models.conversations import ParticipantQuerySet, ParticipantRole
from messaging.models.events import EventType
from messaging.namesakes import Named, namesakes
from messaging.projections import Row, UserProjection
from messaging.services.additions import require_addable
from messaging.services.conversations import (
    conversation_updated,
    erase_conversations,
    erase_newest_batch,
)
from messaging.services.invites import withdraw_invitations
from messaging.services.joining import take_in
from messaging.services.limits import spend_quota
from messaging.services.notifications import withdraw_batch, withdraw_notifications
from messaging.services.owners import give_owners, hand_over
from messaging.services.participant_lists import participant_named
from messaging.services.users import active_user


def namesakes_among(
    *, conversation_id: ConversationId, shown: Iterable[Named | None]
) -> frozenset[UserId]:
    """The users who share a name, among a conversation's participants and others on its page."""
    everyone = UserProjection.from_rows(_everyone.all(conversation=conversation_id))
    return namesakes([*everyone, *shown])


@CompiledQuery
def _everyone(*, conversation: ConversationId) -> QuerySet[User, Row]:
    return User.objects.filter(participations__conversation=conversation).values_list(
        *UserProjection.columns()
    )


def put_participant(*, group: Ownership, username: str, role: str) -> None:
    """Add a user to a group, or hand it over to a participant.

    Raises:
        UserNotFoundError: no active account has this name.
        ParticipantNotFoundError: the new owner is no participant yet.
        OwnerRequiredError: an owner gave themselves the role of a member.
        GroupFullError
        NotDeliverableError: there is a block between the user and the caller, or the
            user's setting excludes the caller.
        RateLimitedError: the caller added too many people lately.
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    if role == Participant.Role.OWNER:
        hand_over(group=group, username=username)
    elif username.lower() == group.user.username_key:
        raise OwnerRequiredError(
            "A group has an owner: make someone else the owner instead."
        )
    else:
        _add(group, username)


def _add(group: Ownership, username: str) -> None:
    user, owner = active_user(username=username), UserId(group.user_id)
    everyone = Participant.objects.filter(conversation=group.conversation_id)
    if everyone.filter(user=user).exists():
        return
    # The quota comes first: nothing may be locked yet.
    with spend_quota("additions", user_id=owner), changing_as_owner(group) as change:
        require_addable(adder=owner, users=[user])
        # Check again, now under the conversation's lock.
        if everyone.filter(user=user).exists():
            return
        change.erase(
            Removal.objects.filter(conversation=group.conversation_id, user=user)
        )
        conversation_id = ConversationId(group.conversation_id)
        take_in(conversation_id=conversation_id, user=user, change=change)


def remove_participant(*, membership: Membership, username: str) -> None:
    """Leave a group, or as an owner remove another participant.

    Whom an owner removed cannot come back by an invitation. The participant's
    notifications there are deleted. If the last owner goes, the longest-standing member
    becomes the owner; if nobody is left, the group is deleted.

    Rows beyond one batch are erased first, in transactions of their own: after an
    interruption the user still is a participant, and calling it again does the rest.

    Raises:
        DirectConversationError: nobody can leave a direct conversation.
        NotOwnerError: only owners remove others.
        ParticipantNotFoundError: no participant has this name.
        ConversationNotFoundError: the caller was removed meanwhile.
    """
    if membership.conversation.is_direct:
        raise DirectConversationError("Nobody can leave a direct conversation.")
    # Each iteration is one transaction, which erases a batch or removes the
    # participant.
    while not _removed(membership, username):
        pass


def _removed(membership: Membership, username: str) -> bool:
    """Erase a batch of a participant's rows or, if few are left, remove the participant.

    Each call is one transaction.

    Returns:
        Whether the participant was removed.
    """
    leaves = username.lower() == membership.user.username_key
    opened = _changing_for(membership) if leaves else changing_as_owner(membership)
    with opened as change:
        participant = participant_named(membership, username)
        if _erased_batch(participant, change):
            return False
        _remove(participant, change)
        if not leaves:
            _note_removal(participant, change)
    return True


def _changing_for(membership: Membership) -> AbstractContextManager[Change]:
    return changing(
        ConversationId(membership.conversation_id), by=UserId(membership.user_id)
    )


def _erased_batch(participant: Participant, change: Change) -> bool:
    """Erase a batch of the rows that go with a participant, if there is more than one batch."""
    conversation_id = ConversationId(participant.conversation_id)
    if withdraw_batch(
        user_id=UserId(participant.user_id),
        conversation_id=conversation_id,
        change=change,
    ):
        return True
    others = Participant.objects.filter(conversation=conversation_id)
    return not others.exclude(pk=participant.pk).exists() and erase_newest_batch(
        conversation_id, change=change
    )


def set_muted(*, membership: Membership, muted: bool) -> None:
    """Make a user's new notifications of a conversation silent, or audible again.

    Raises:
        ConversationNotFoundError: the user is no participant any more.
    """
    with _changing_for(membership) as change:
        # An unchanged setting logs no event.
        other = _own_row(membership).exclude(muted=muted)
        if change.update(other, muted=muted):
            change.record(_updated_for_oneself(membership))


def set_hidden(*, membership: Membership, hidden: bool) -> None:
    """Hide a conversation from the user's list until its next message, or show it again.

    Raises:
        ConversationNotFoundError: the user is no participant any more.
    """
    # Store the last sequence, so that a new message shows the conversation again
    # without a write here.
    through = membership.conversation.last_sequence if hidden else None
    with _changing_for(membership) as change:
        other = (
            _own_row(membership).exclude(hidden_through=through)
            if hidden
            else _own_row(membership).filter(hidden_through__isnull=False)
        )
        if change.update(other, hidden_through=through):
            change.record(_updated_for_oneself(membership))


def _own_row(membership: Membership) -> ParticipantQuerySet:
    return Participant.objects.filter(pk=membership.pk)


def _updated_for_oneself(membership: Membership) -> Event:
    return conversation_updated(
        ConversationId(membership.conversation_id),
        recipient=UserId(membership.user_id),
    )


def _remove(participant: Participant, change: Change) -> None:
    withdraw_notifications(
        user_id=UserId(participant.user_id),
        conversation_id=ConversationId(participant.conversation_id),
        change=change,
    )
    change.erase(Participant.objects.filter(pk=participant.pk))
    change.renew(participant.conversation_id)
    change.record(*_removed_events(participant))
    if participant.role == ParticipantRole.OWNER:
        withdraw_invitations(
            user_id=UserId(participant.user_id),
            conversation_id=ConversationId(participant.conversation_id),
            change=change,
        )
        _find_heir(ConversationId(participant.conversation_id), change)


def _note_removal(participant: Participant, change: Change) -> None:
    removal = Removal(
        conversation_id=participant.conversation_id, user_id=participant.user_id
    )
    change.insert([removal])


def _removed_events(participant: Participant) -> list[Event]:
    """One event for all who stay, and one for the removed user, who gets no event of the group."""
    recipients: tuple[int | None, ...] = (None, participant.user_id)
    return [
        Event(
            type=EventType.PARTICIPANT_REMOVED,
            conversation_id=participant.conversation_id,
            user_id=participant.user_id,
            recipient_id=recipient,
        )
        for recipient in recipients
    ]


def _find_heir(conversation_id: ConversationId, change: Change) -> None:
    """Give a group an owner if it has none; erase it if nobody is left."""
    if Participant.objects.filter(conversation=conversation_id).exists():
        give_owners([conversation_id], change=change)
    else:
        group = Conversation.objects.filter(pk=conversation_id)
        erase_conversations(group, change=change)
