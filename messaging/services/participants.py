"""The participants of a group: adding and removing them, leaving, handing the group over."""

from collections.abc import Iterable
from contextlib import AbstractContextManager

from django.conf import settings

from messaging.access import Membership, Ownership
from messaging.changes import Change, changing, changing_as_owner
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import (
    DirectConversationError,
    OwnerRequiredError,
    ParticipantNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Event, Participant, User
from messaging.models.conversations import ParticipantQuerySet, ParticipantRole
from messaging.models.events import EventType
from messaging.namesakes import Named, namesakes
from messaging.pagination import Page, cut_page
from messaging.projections import UserProjection
from messaging.services.additions import require_addable
from messaging.services.conversations import (
    conversation_updated,
    erase_conversations,
    erase_newest_batch,
    group_full,
)
from messaging.services.limits import spend_quota
from messaging.services.notifications import withdraw_batch, withdraw_notifications
from messaging.services.users import active_user


def participant_page(
    *, membership: Membership, cursor: str | None, limit: int
) -> Page[Participant]:
    """The participants of a conversation, in the order in which they joined."""
    everyone = Participant.objects.filter(conversation=membership.conversation_id)
    if cursor is not None:
        everyone = everyone.filter(pk__gt=decode_number("participants", cursor))
    rows = (
        everyone.select_related("user")
        .only("conversation", "role", "joined_at", *UserProjection.columns("user"))
        .order_by("pk")
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda participant: encode_cursor("participants", participant.pk),
    )


def namesakes_among(
    *, conversation_id: ConversationId, shown: Iterable[Named | None]
) -> frozenset[UserId]:
    """The users who share a name, among a conversation's participants and others on its page."""
    everyone = User.objects.filter(participations__conversation=conversation_id)
    return namesakes([*everyone.only("display_name"), *shown])


def put_participant(*, group: Ownership, username: str, role: str) -> None:
    """Add a user to a group, or make a participant its owner.

    Raises:
        UserNotFoundError: no active account has this name.
        ParticipantNotFoundError: the new owner is no participant yet.
        OwnerRequiredError: the owner gave themselves the role of a member.
        GroupFullError
        NotDeliverableError: there is a block between the user and the owner, or the
            user's setting excludes the owner.
        RateLimitedError: the owner added too many people lately.
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    if role == Participant.Role.OWNER:
        _hand_over(group, username)
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
        if everyone.count() >= settings.PARLEY_MAX_PARTICIPANTS:
            raise group_full()
        change.lock_users({user.pk})
        added = Event(
            type=EventType.PARTICIPANT_ADDED,
            conversation_id=group.conversation_id,
            user=user,
        )
        change.record(added)
        participant = Participant(conversation_id=group.conversation_id, user=user)
        change.insert_with(added, [participant])
        # The page shows usernames beside display names that two participants share.
        change.renew(group.conversation_id)


def _hand_over(group: Ownership, username: str) -> None:
    with changing_as_owner(group) as change:
        new_owner = _participant(group, username)
        if new_owner.pk == group.pk:
            return
        # The old owner first: a unique constraint allows only one owner.
        _set_role(group, Participant.Role.MEMBER, change)
        _set_role(new_owner, Participant.Role.OWNER, change)
        change.record(conversation_updated(ConversationId(group.conversation_id)))


def _set_role(participant: Participant, role: ParticipantRole, change: Change) -> None:
    change.update(Participant.objects.filter(pk=participant.pk), role=role)


def remove_participant(*, membership: Membership, username: str) -> None:
    """Leave a group, or as its owner remove another participant.

    The participant's notifications there are deleted. If the owner leaves, the
    longest-standing member becomes the owner; if nobody is left, the group is deleted.
    Rows beyond one batch are erased first, in transactions of their own: after an
    interruption the user still is a participant, and calling it again does the rest.

    Raises:
        DirectConversationError: nobody can leave a direct conversation.
        NotOwnerError: only the owner removes others.
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
        participant = _participant(membership, username)
        if _erased_batch(participant, change):
            return False
        _remove(participant, change)
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
    if participant.role == Participant.Role.OWNER:
        _hand_to_longest_member(participant.conversation_id, change)


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


def _hand_to_longest_member(conversation_id: int, change: Change) -> None:
    everyone = Participant.objects.filter(conversation=conversation_id)
    new_owner = everyone.longest_first().first()
    if new_owner is None:
        erase_conversations(
            Conversation.objects.filter(pk=conversation_id), change=change
        )
    else:
        _set_role(new_owner, Participant.Role.OWNER, change)


def _participant(group: Membership, username: str) -> Participant:
    participant = Participant.objects.filter(
        conversation=group.conversation_id, user__username_key=username.lower()
    ).first()
    if participant is None:
        raise ParticipantNotFoundError("Nobody of this name takes part.")
    return participant
