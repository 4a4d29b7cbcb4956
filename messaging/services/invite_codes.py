"""Using the code of an invitation: to open an account, and to join a group.

A code that is unknown, expired, used up or revoked, or that a user may not use, is
refused in the same words.
"""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from messaging.access import inviter
from messaging.changes import Change
from messaging.errors import (
    ConversationNotFoundError,
    InvalidInviteError,
    InviteRequiredError,
    RegistrationClosedError,
)
from messaging.ids import ConversationId
from messaging.models import Block, InviteCode, Participant, Removal, User
from messaging.models.credentials import InviteCodeQuerySet
from messaging.services.tokens import digest_of


@dataclass(frozen=True, slots=True)
class UsedInvitation:
    """The group that a new user joins: it is locked, and there is room.

    `missed_group` is whether their code named one, as far as anybody can tell, that they
    do not join.
    """

    group: ConversationId | None
    missed_group: bool


@dataclass(frozen=True, slots=True)
class ShownInvitation:
    """What whoever has a code may know of its invitation.

    The group's values are None for an invitation to the server. `joined` is whether the
    reader is in the group.
    """

    opens_account: bool
    conversation_id: ConversationId | None
    title: str | None
    participant_count: int | None
    joined: bool = False


def invitation_shown(*, code: str, reader: User | None) -> ShownInvitation:
    """What a code invites to.

    A participant of the group is told of any that was not revoked: they may have used
    it up themselves.

    Raises:
        InvalidInviteError: the code cannot be used, or not by this reader.
    """
    found = _find(code)
    if found is None:
        raise invalid_invite()
    everyone = Participant.objects.filter(conversation=found.conversation_id)
    joined = reader is not None and everyone.filter(user=reader).exists()
    if not joined:
        _require_usable(found, reader)
    if found.conversation is None:
        return ShownInvitation(_opens_account(found), None, None, None)
    return ShownInvitation(
        opens_account=_opens_account(found),
        conversation_id=ConversationId(found.conversation.pk),
        title=found.conversation.title,
        participant_count=everyone.count(),
        joined=joined,
    )


def group_of(*, code: str) -> ConversationId:
    """The group that a code invites to, whether or not it can still be used.

    Raises:
        InvalidInviteError: no group has such an invitation.
    """
    found = _find(code)
    if found is None or found.conversation_id is None:
        raise invalid_invite()
    return ConversationId(found.conversation_id)


def use_for_group(*, code: str, user: User, change: Change) -> None:
    """Count a use of a code by a user who joins. Requires the group to be locked.

    Raises:
        InvalidInviteError: the code cannot be used (any more), or not by this user.
    """
    found = _find(code)
    if found is None:
        raise invalid_invite()
    _require_usable(found, user)
    if not _use(found, change):
        raise invalid_invite()


def check_admission(*, invite_code: str | None) -> None:
    """Refuse people who may not register, before a password is hashed for them.

    Raises:
        RegistrationClosedError, InviteRequiredError, InvalidInviteError
    """
    if settings.PARLEY_REGISTRATION == "closed":
        raise RegistrationClosedError("Accounts are opened by the operator only.")
    if settings.PARLEY_REGISTRATION == "invite":
        if invite_code is None:
            raise InviteRequiredError("An account here takes an invite code.")
        found = _find_usable(invite_code)
        if found is None or not _opens_account(found):
            raise invalid_invite()


def use_invite(*, invite_code: str | None, change: Change) -> UsedInvitation:
    """Count one use of a code, in the transaction that creates the account.

    If several people use the last one at once, one succeeds. Where everyone may
    register, codes of the server are neither needed nor counted, and one of a group
    that cannot be used is ignored.

    Raises:
        InvalidInviteError: the code is unknown, expired or used up.
    """
    required = settings.PARLEY_REGISTRATION != "open"
    found = None if invite_code is None else _find_usable(invite_code)
    if found is None or not _opens_account(found):
        if required:
            raise invalid_invite()
        return UsedInvitation(None, missed_group=invite_code is not None)
    group = _with_room(found, change)
    missed_group = group is None and found.conversation_id is not None
    if (required or group is not None) and not _use(found, change):
        if required:
            raise invalid_invite()
        return UsedInvitation(None, missed_group=True)
    return UsedInvitation(group, missed_group)


def _maker_may_invite(invitation: InviteCode) -> bool:
    """Asked whenever a code is used: the right may be gone since the invitation was made."""
    maker = invitation.created_by
    return maker is None or inviter(maker) is not None


def _opens_account(invitation: InviteCode) -> bool:
    """Whether people may register with it, as this installation is set."""
    if settings.PARLEY_REGISTRATION == "invite":
        return invitation.opens_account and _maker_may_invite(invitation)
    return settings.PARLEY_REGISTRATION == "open"


def _require_usable(invitation: InviteCode, reader: User | None) -> None:
    """Refuse a code that has ended, or that a user may not use.

    Who may not are those whom an owner removed from the group, and those whom the
    invitation's maker blocks.

    Raises:
        InvalidInviteError
    """
    if not _is_usable(invitation):
        raise invalid_invite()
    if reader is None or invitation.conversation_id is None:
        return
    removed = Removal.objects.filter(
        conversation=invitation.conversation_id, user=reader
    )
    blocked = Block.objects.filter(blocker=invitation.created_by_id, blocked=reader)
    if removed.exists() or blocked.exists():
        raise invalid_invite()


def invalid_invite() -> InvalidInviteError:
    return InvalidInviteError("This invite code is not valid, or not any more.")


def _with_room(invitation: InviteCode, change: Change) -> ConversationId | None:
    """The group of an invitation, under its lock; None if it is full, or gone."""
    if invitation.conversation_id is None:
        return None
    try:
        change.conversation(invitation.conversation_id)
    except ConversationNotFoundError:
        return None
    group = ConversationId(invitation.conversation_id)
    return None if is_full(group) else group


def is_full(conversation_id: ConversationId) -> bool:
    everyone = Participant.objects.filter(conversation=conversation_id)
    return everyone.count() >= settings.PARLEY_MAX_PARTICIPANTS


def _find(code: str) -> InviteCode | None:
    rows = InviteCode.objects.filter(digest=digest_of(code))
    return rows.select_related("conversation", "created_by").first()


def _find_usable(code: str) -> InviteCode | None:
    found = _find(code)
    return found if found is not None and _is_usable(found) else None


def _is_usable(invitation: InviteCode) -> bool:
    return is_offered(invitation) and _usable().filter(pk=invitation.pk).exists()


def is_offered(invitation: InviteCode) -> bool:
    """An invitation to the server needs a maker who may invite; one to a group joins anyway."""
    return invitation.conversation_id is not None or _maker_may_invite(invitation)


def _usable() -> InviteCodeQuerySet:
    return InviteCode.objects.usable_at(timezone.now())


def _use(invitation: InviteCode, change: Change) -> bool:
    """Count a use; False if the code ended since it was found."""
    return change.update(_usable().filter(pk=invitation.pk), used=F("used") + 1) == 1
