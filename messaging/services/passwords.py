"""Passwords: checking, changing and locking them, and ending what an old one had opened."""

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from messaging.changes import Change, open_change
from messaging.errors import (
    InvalidPasswordError,
    UnchangedPasswordError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, Session, User
from messaging.models.users import PASSWORD_MAX_LENGTH
from messaging.services.access_revocations import access_ended

# In place of Django's own words, by the codes of its validators.
_REASONS: Final = {
    "password_too_short": "This password is too short. Take at least %(min_length)d"
    " characters.",
    "password_too_similar": "This password is too much like your %(verbose_name)s.",
    "password_too_common": "This password is one of the first that anybody would try.",
    "password_entirely_numeric": "This password is nothing but digits.",
}


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The numbers of tokens and sessions that ended."""

    tokens: int
    sessions: int


def confirm_password(*, user: User, password: str) -> None:
    """Check a user's password before a sensitive change.

    Raises:
        WrongPasswordError
    """
    if not user.check_password(password):
        raise WrongPasswordError("The password is wrong.")


def lock_password(*, user_id: UserId, tried: str, change: Change) -> None:
    """Lock the account, and check that it still has the password that was verified.

    `tried` is the stored hash that the password was verified against. Hashing takes
    long, and the password may have been changed meanwhile.

    Raises:
        WrongPasswordError: the password was changed meanwhile.
        UserNotFoundError: the account was deleted meanwhile.
    """
    held = change.locked(User.objects.filter(pk=user_id))
    stored = held.values_list("password", flat=True).first()
    if stored is None:
        raise UserNotFoundError("There is no such person.")
    if stored != tried:
        raise WrongPasswordError("The password was changed just now.")


def change_password(
    *, user: User, current: str, new: str, keep_token: TokenId | None
) -> None:
    """Set a new password; end all sessions, and all tokens except the one in use.

    Raises:
        WrongPasswordError: `current` is not the password.
        UnchangedPasswordError: `new` is the same password.
        InvalidPasswordError: `new` is too weak.
        UserNotFoundError: the account was deleted just now.
    """
    if not user.check_password(current):
        raise WrongPasswordError("The current password is wrong.")
    if new == current:
        raise UnchangedPasswordError(
            "This is the password you have already; choose another.",
            field="new_password",
        )
    # `set_password` below overwrites this attribute.
    tried = user.password
    check_strength(new, user=user, field="new_password")
    user.set_password(new)
    with open_change() as change:
        lock_password(user_id=UserId(user.pk), tried=tried, change=change)
        sign_out(user=user, keep_token=keep_token)
        user.save(update_fields=["password"])


def set_password(*, user: User, new: str) -> SignedOut:
    """Set a user's password without knowing the old one, and sign them out everywhere.

    For operators.

    Raises:
        InvalidPasswordError: `new` is too weak.
        UserNotFoundError: the account was deleted just now.
    """
    check_strength(new, user=user, field="password")
    user.set_password(new)
    with open_change() as change:
        # The account may be deleted at the same time.
        change.lock_users({user.pk})
        return replace_password(user=user, change=change)


def replace_password(*, user: User, change: Change) -> SignedOut:
    """Store the new password of a locked account, and end all that the old one opened."""
    ended = sign_out(user=user)
    user.save(update_fields=["password"])
    return ended


def sign_out(*, user: User, keep_token: TokenId | None = None) -> SignedOut:
    """End all sessions of a user, and all tokens except the one to keep."""
    with open_change() as change:
        # The account before the clock, since the event names it: see decision 0025.
        account = change.locked(User.objects.filter(pk=user.pk))
        held = AccessToken.objects.filter(user__in=account)
        tokens, _ = held.exclude(pk=keep_token or 0).delete()
        sessions, _ = Session.objects.filter(user__in=account).delete()
        if tokens or sessions:
            change.record(access_ended(UserId(user.pk)))
    return SignedOut(tokens=tokens, sessions=sessions)


def check_strength(password: str, *, user: User, field: str) -> None:
    """Check that a password is not too short, too long, common or like the user's names.

    Raises:
        InvalidPasswordError: has every reason; the error names `field`.
    """
    if len(password) > PASSWORD_MAX_LENGTH:
        raise InvalidPasswordError(
            [f"This password is too long: more than {PASSWORD_MAX_LENGTH} characters."],
            field=field,
        )
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        reasons = [_reason(each) for each in error.error_list]
        raise InvalidPasswordError(reasons, field=field) from error


def _reason(error: ValidationError) -> str:
    return _REASONS[str(error.code)] % (error.params or {})
