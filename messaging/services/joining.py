"""Becoming a participant of a group: by an owner who adds, or by an invitation."""

from dataclasses import dataclass

from messaging.changes import Change, open_change
from messaging.errors import ConversationNotFoundError
from messaging.ids import ConversationId, UserId
from messaging.models import Event, Participant, User
from messaging.models.events import EventType
from messaging.services.conversations import group_full
from messaging.services.invite_codes import (
    group_of,
    invalid_invite,
    is_full,
    use_for_group,
)
from messaging.services.limits import spend_quota


@dataclass(frozen=True, slots=True)
class JoinedGroup:
    """The group of an invitation; `new` is whether the user was no participant before."""

    conversation_id: ConversationId
    new: bool


def join_group(*, user: User, code: str) -> JoinedGroup:
    """Join a group by an invitation; who takes part already uses up nothing.

    The user's own setting `who_may_add` is not asked: they join by themselves.

    Raises:
        InvalidInviteError: the code cannot be used, or not by this user.
        GroupFullError
        RateLimitedError: the user joined too many groups lately.
        UserNotFoundError: the account was deleted just now.
    """
    group = group_of(code=code)
    theirs = Participant.objects.filter(conversation=group, user=user)
    if theirs.exists():
        return JoinedGroup(group, new=False)
    # The quota comes first: nothing may be locked yet.
    with spend_quota("additions", user_id=UserId(user.pk)), open_change() as change:
        try:
            change.conversation(group)
        except ConversationNotFoundError as error:
            raise invalid_invite() from error
        # Check again, now under the conversation's lock.
        if theirs.exists():
            return JoinedGroup(group, new=False)
        use_for_group(code=code, user=user, change=change)
        take_in(conversation_id=group, user=user, change=change)
    return JoinedGroup(group, new=True)


def take_in(*, conversation_id: ConversationId, user: User, change: Change) -> None:
    """Make a user a participant. Requires the group to be locked.

    Raises:
        GroupFullError
        UserNotFoundError: the account was deleted just now.
    """
    if is_full(conversation_id):
        raise group_full()
    change.lock_users({user.pk})
    added = Event(
        type=EventType.PARTICIPANT_ADDED,
        conversation_id=conversation_id,
        user=user,
    )
    change.record(added)
    participant = Participant(
        conversation_id=conversation_id,
        user=user,
        notified_from=change.conversation(conversation_id).last_sequence + 1,
    )
    change.insert_with(added, [participant])
    # The page shows usernames beside display names that two participants share.
    change.renew(conversation_id)
