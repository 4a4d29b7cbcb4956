"""Passwords: trying, changing and holding them; signing out whoever knew the old one."""

from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from messaging.access import lock_users
from messaging.errors import (
    InvalidPasswordError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, Session, User
from messaging.models.users import PASSWORD_MAX_LENGTH


@dataclass(frozen=True, slots=True)
class SignedOut:
    """How much was ended."""

    tokens: int
    sessions: int


def confirm_password(*, user: User, password: str) -> None:
    """Make sure that it is still them.

    Raises:
        WrongPasswordError
    """
    if not user.check_password(password):
        raise WrongPasswordError("The password is wrong.")


def hold_password(*, user_id: UserId, tried: str) -> None:
    """Keep the password that was just tried from being changed by somebody else.

    In a transaction that somebody is let do something in because they know it: trying
    it takes long, and whoever else knows it may be acting on that meanwhile.

    Args:
        tried: as it is stored.

    Raises:
        WrongPasswordError: it was changed since.
        UserNotFoundError: the account was deleted since.
    """
    held = User.objects.select_for_update(no_key=True).filter(pk=user_id)
    stored = held.values_list("password", flat=True).first()
    if stored is None:
        raise UserNotFoundError("There is no such person.")
    if stored != tried:
        raise WrongPasswordError("The password was changed just now.")


def change_password(
    *, user: User, current: str, new: str, keep_token: TokenId | None
) -> None:
    """Set a new password; end every session, and every token but the one in use.

    Raises:
        WrongPasswordError: `current` is not the password.
        InvalidPasswordError: `new` is too weak.
        UserNotFoundError: the account was deleted just now.
    """
    if not user.check_password(current):
        raise WrongPasswordError("The current password is wrong.")
    tried = user.password
    check_strength(new, user=user, field="new_password")
    user.set_password(new)
    with transaction.atomic():
        hold_password(user_id=UserId(user.pk), tried=tried)
        user.save(update_fields=["password"])
        sign_out(user=user, keep_token=keep_token)


def set_password(*, user: User, new: str) -> SignedOut:
    """Set somebody's password without knowing the old one, and sign them out.

    For operators.

    Raises:
        InvalidPasswordError: `new` is too weak.
        UserNotFoundError: the account was deleted just now.
    """
    check_strength(new, user=user, field="password")
    user.set_password(new)
    with transaction.atomic():
        lock_users({user.pk})
        user.save(update_fields=["password"])
        return sign_out(user=user)


def sign_out(*, user: User, keep_token: TokenId | None = None) -> SignedOut:
    """End the browser sessions and tokens of a person at once, but the one to keep."""
    with transaction.atomic():
        tokens, _ = (
            AccessToken.objects.filter(user=user).exclude(pk=keep_token or 0).delete()
        )
        sessions, _ = Session.objects.filter(user=user).delete()
    return SignedOut(tokens=tokens, sessions=sessions)


def check_strength(password: str, *, user: User, field: str) -> None:
    """See that a password is neither short nor long, common nor like their names.

    Raises:
        InvalidPasswordError: with every reason, told at this field.
    """
    if len(password) > PASSWORD_MAX_LENGTH:
        raise InvalidPasswordError(
            [f"This password is too long: more than {PASSWORD_MAX_LENGTH} characters."],
            field=field,
        )
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        raise InvalidPasswordError(error.messages, field=field) from error
