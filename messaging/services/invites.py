"""Who may open an account: everyone, people with an invite code, or nobody."""

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
    """Create a code for `uses` registrations; only a digest of it is stored."""
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
    """Refuse people who may not register, before a password is hashed for them.

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
    """Count one use of a code, in the transaction that creates the account.

    If several people use the last one at once, one succeeds. Where everyone may
    register, codes are neither needed nor counted.

    Raises:
        InvalidInviteError: the code is unknown, expired or used up.
    """
    if settings.PARLEY_REGISTRATION == "open":
        return
    if not _usable(invite_code or "").use_once():
        raise _invalid()


def _usable(code: str) -> InviteCodeQuerySet:
    return InviteCode.objects.filter(digest=digest_of(code)).usable_at(timezone.now())


def _invalid() -> InvalidInviteError:
    return InvalidInviteError("This invite code is not valid, or not any more.")
