"""Who may open an account: everyone, who has an invite code, or nobody."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from messaging.errors import (
    InvalidInviteError,
    InviteRequiredError,
    RegistrationClosedError,
)
from messaging.models import InviteCode
from messaging.models.credentials import InviteCodeQuerySet
from messaging.services.tokens import digest_of


def create_invite(*, uses: int, expires_in: timedelta | None) -> str:
    """Make a code that so many people can register with; it can be read this once."""
    code = secrets.token_urlsafe(16)
    now = timezone.now()
    InviteCode.objects.create(
        digest=digest_of(code),
        max_uses=uses,
        created_at=now,
        expires_at=None if expires_in is None else now + expires_in,
    )
    return code


def check_admission(*, invite_code: str | None) -> None:
    """Refuse who may not register, before any work is done for them.

    Raises:
        RegistrationClosedError, InviteRequiredError, InvalidInviteError
    """
    if settings.PARLEY_REGISTRATION == "closed":
        raise RegistrationClosedError("Accounts are opened by the operator only.")
    if settings.PARLEY_REGISTRATION == "invite":
        if invite_code is None:
            raise InviteRequiredError("An account here takes an invite code.")
        if not _usable(invite_code).exists():
            raise _invalid()


def use_invite(*, invite_code: str | None) -> None:
    """Use a code up by one, in the transaction that opens the account.

    Of people who use the last one at once, one gets it. Where registration is
    open a code is neither needed nor used.

    Raises:
        InvalidInviteError: unknown, expired or used up, never told apart.
    """
    if settings.PARLEY_REGISTRATION == "open":
        return
    if not _usable(invite_code or "").use_once():
        raise _invalid()


def _usable(code: str) -> InviteCodeQuerySet:
    return InviteCode.objects.filter(digest=digest_of(code)).usable_at(timezone.now())


def _invalid() -> InvalidInviteError:
    return InvalidInviteError("This invite code is not valid, or not any more.")
