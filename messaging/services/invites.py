"""Invitations to the server and to groups: making, listing and revoking them.

An invitation is a row with the digest of a code. One to the server opens accounts; one
to a group lets people into it, and opens accounts too if whoever made it may invite to
the server. `invite_codes` says who may use a code.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from messaging.access import Inviter, Ownership, inviter
from messaging.changes import Change, changing_as_owner, open_change
from messaging.cursors import decode_number, encode_cursor
from messaging.database import erase_in_batches
from messaging.errors import (
    InvitationNotFoundError,
    RightsRequiredError,
    TooManyInvitationsError,
)
from messaging.ids import ConversationId, InvitationId, UserId
from messaging.models import Installation, InviteCode, User
from messaging.models.credentials import InviteCodeQuerySet
from messaging.pagination import Page, cut_page
from messaging.services.invite_codes import is_offered
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
    if sum(map(is_offered, kept)) >= MOST:
        raise TooManyInvitationsError(
            f"There are {MOST} invitations already, as many as there may be. Revoke one"
            " first."
        )


def _revoke(rows: InviteCodeQuerySet, change: Change) -> None:
    if not change.erase(rows):
        raise InvitationNotFoundError("There is no such invitation.")
