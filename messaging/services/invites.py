"""Invitations: who may open an account, and who is let into a group by a link.

An invitation is a row with the digest of a code. One to the server opens accounts; one
to a group lets people into it, and opens accounts too if whoever made it may invite to
the server. A code that is unknown, expired, used up or revoked, or that a user may not
use, is refused in the same words.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from messaging.access import Inviter, Ownership, inviter
from messaging.changes import Change, changing_as_owner, open_change
from messaging.cursors import decode_number, encode_cursor
from messaging.database import erase_in_batches
from messaging.errors import (
    ConversationNotFoundError,
    InvalidInviteError,
    InvitationNotFoundError,
    InviteRequiredError,
    RegistrationClosedError,
    RightsRequiredError,
    TooManyInvitationsError,
)
from messaging.ids import ConversationId, InvitationId, UserId
from messaging.models import Block, Installation, InviteCode, Participant, Removal, User
from messaging.models.credentials import InviteCodeQuerySet
from messaging.pagination import Page, cut_page
from messaging.services.tokens import digest_of

# Invitations of a group that can be used, and as many to the server.
MOST: Final = 50
MOST_USES: Final = 1000
LONGEST: Final = timedelta(days=365)

# Expired invitations stay in the list this long.
LISTED_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """A new invitation with its code, which nobody can read again."""

    invitation: InviteCode
    code: str


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


def create_invite(*, uses: int, expires_in: timedelta | None) -> str:
    """Create a code for `uses` registrations, for operators; only a digest is stored."""
    new = _new(created_by=None, uses=uses, expires_in=expires_in)
    new.invitation.save()
    return new.code


def create_server_invitation(
    *, maker: Inviter, uses: int, expires_in: timedelta
) -> IssuedInvitation:
    """Create an invitation to the server.

    Raises:
        TooManyInvitationsError
        RightsRequiredError: the maker may invite nobody any more.
        UserNotFoundError: the account was deleted just now.
    """
    new = _new(created_by=maker, uses=uses, expires_in=expires_in)
    with open_change() as change:
        _require_inviter(maker, change)
        # One maker at a time, or two would both take the last place.
        list(change.locked(Installation.objects.filter(pk=Installation.ONLY_ID)))
        _require_room(_to_server().filter(created_by__isnull=False), change)
        change.insert([new.invitation])
    return new


def create_group_invitation(
    *, group: Ownership, uses: int, expires_in: timedelta
) -> IssuedInvitation:
    """Create an invitation to a group.

    Raises:
        TooManyInvitationsError
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    new = _new(created_by=group.user, uses=uses, expires_in=expires_in)
    new.invitation.conversation_id = group.conversation_id
    new.invitation.opens_account = inviter(group.user) is not None
    with changing_as_owner(group) as change:
        _require_room(_to_group(group), change)
        change.lock_users({group.user_id})
        change.insert([new.invitation])
    return new


def server_invitation_page(
    *, reader: Inviter, cursor: str | None, limit: int
) -> Page[InviteCode]:
    """The invitations to the server, newest first; ended ones for a while."""
    return _page(_to_server(), cursor, limit)


def group_invitation_page(
    *, group: Ownership, cursor: str | None, limit: int
) -> Page[InviteCode]:
    """The invitations to a group, newest first; ended ones for a while."""
    return _page(_to_group(group), cursor, limit)


def revoke_server_invitation(*, by: Inviter, invitation_id: InvitationId) -> None:
    """Revoke an invitation to the server at once.

    Raises:
        InvitationNotFoundError
        RightsRequiredError: the user may invite nobody any more.
        UserNotFoundError: the account was deleted just now.
    """
    with open_change() as change:
        _require_inviter(by, change)
        _revoke(_to_server().filter(pk=invitation_id), change)


def revoke_group_invitation(*, group: Ownership, invitation_id: InvitationId) -> None:
    """Revoke an invitation to a group at once.

    Raises:
        InvitationNotFoundError
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    with changing_as_owner(group) as change:
        _revoke(_to_group(group).filter(pk=invitation_id), change)


def withdraw_invitations(
    *, user_id: UserId, conversation_id: ConversationId, change: Change
) -> None:
    """Revoke what a user made to a group that they own no more."""
    change.erase(
        InviteCode.objects.filter(created_by=user_id, conversation=conversation_id)
    )


def clear_expired_invitations() -> int:
    """Delete invitations that expired a month ago; return how many."""
    expired = InviteCode.objects.filter(expires_at__lt=timezone.now() - LISTED_FOR)
    return erase_in_batches(expired)


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


def inviters_among(invitations: Iterable[InviteCode]) -> frozenset[UserId]:
    """The makers of these invitations who may invite to the server now.

    Each maker takes queries of their own; staff who invite are few.
    """
    makers = {
        invitation.created_by_id: invitation.created_by for invitation in invitations
    }
    return frozenset(
        UserId(maker.pk)
        for maker in makers.values()
        if maker is not None and inviter(maker) is not None
    )


def _require_inviter(user: User, change: Change) -> None:
    """Lock an account, and check again that it may invite to the server.

    Raises:
        RightsRequiredError, UserNotFoundError
    """
    change.lock_users({user.pk})
    if inviter(User.objects.get(pk=user.pk)) is None:
        raise RightsRequiredError("You may not invite people to the server.")


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


def _new(
    *, created_by: User | None, uses: int, expires_in: timedelta | None
) -> IssuedInvitation:
    code = secrets.token_urlsafe(16)
    now = timezone.now()
    invitation = InviteCode(
        digest=digest_of(code),
        created_by=created_by,
        max_uses=uses,
        created_at=now,
        expires_at=None if expires_in is None else now + expires_in,
    )
    return IssuedInvitation(invitation, code)


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
    return _is_offered(invitation) and _usable().filter(pk=invitation.pk).exists()


def _is_offered(invitation: InviteCode) -> bool:
    """An invitation to the server needs a maker who may invite; one to a group joins anyway."""
    return invitation.conversation_id is not None or _maker_may_invite(invitation)


def _usable() -> InviteCodeQuerySet:
    return InviteCode.objects.usable_at(timezone.now())


def _use(invitation: InviteCode, change: Change) -> bool:
    """Count a use; False if the code ended since it was found."""
    return change.update(_usable().filter(pk=invitation.pk), used=F("used") + 1) == 1


def _to_server() -> InviteCodeQuerySet:
    return InviteCode.objects.filter(conversation__isnull=True)


def _to_group(group: Ownership) -> InviteCodeQuerySet:
    return InviteCode.objects.filter(conversation=group.conversation_id)


def _page(rows: InviteCodeQuerySet, cursor: str | None, limit: int) -> Page[InviteCode]:
    if cursor is not None:
        rows = rows.filter(pk__lt=decode_number("invitations", cursor))
    return cut_page(
        rows.select_related("created_by").order_by("-pk")[: limit + 1],
        limit=limit,
        cursor_of=lambda row: encode_cursor("invitations", row.pk),
    )


def _require_room(invitations: InviteCodeQuerySet, change: Change) -> None:
    """Refuse at the limit, after erasing ended ones, which are otherwise listed for a while.

    What its maker may not offer now is kept, and takes no room: they may again one day.
    """
    if invitations.count() < MOST:
        return
    change.erase(invitations.ended_at(timezone.now()))
    kept = invitations.usable_at(timezone.now()).select_related("created_by")
    if sum(map(_is_offered, kept)) >= MOST:
        raise TooManyInvitationsError(
            f"There are {MOST} invitations already, as many as there may be. Revoke one"
            " first."
        )


def _revoke(rows: InviteCodeQuerySet, change: Change) -> None:
    if not change.erase(rows):
        raise InvitationNotFoundError("There is no such invitation.")
