"""Accounts: registration, names and settings."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from messaging.changes import open_change
from messaging.errors import (
    ExternalIdTakenError,
    InvalidError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import User
from messaging.models.users import SendKey, WhoMayAdd
from messaging.services.invite_codes import check_admission, use_invite
from messaging.services.joining import take_in
from messaging.services.limits import spend_quota
from messaging.services.passwords import check_strength
from messaging.text import clean_display_name, clean_external_id, clean_username


@dataclass(frozen=True, slots=True)
class Registration:
    """A new account, and the group that it joined by its code.

    `missed_group` is whether the code named a group that is full, or had ended.
    """

    user: User
    group: ConversationId | None
    missed_group: bool


def register(
    *,
    username: str,
    password: str,
    display_name: str | None,
    invite_code: str | None = None,
) -> Registration:
    """Register an account, if this installation allows it.

    A code of a group also lets the new user into it, if there is room.

    Raises:
        RegistrationClosedError, InviteRequiredError, InvalidInviteError
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        UsernameTakenError: another account has the name, in any case.
    """
    check_admission(invite_code=invite_code)
    user = prepared_user(username, display_name, password)
    with open_change() as change:
        # In one transaction: a registration that fails uses up no invite.
        used = use_invite(invite_code=invite_code, change=change)
        _save_new(user)
        if used.group is not None:
            take_in(conversation_id=used.group, user=user, change=change)
    return Registration(user, used.group, used.missed_group)


def create_account(
    *,
    username: str,
    password: str | None,
    display_name: str | None,
    external_id: str | None = None,
) -> User:
    """Create an account for somebody else, whatever the setting for registration.

    Without a password nobody can sign in to it, but a service may act for its user.

    Raises:
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        InvalidExternalIdError, UsernameTakenError, ExternalIdTakenError
    """
    if external_id is not None:
        clean_external_id(external_id)
    user = prepared_user(username, display_name, password)
    if external_id is not None:
        if User.objects.filter(external_id=external_id).exists():
            raise _external_id_taken()
        user.external_id = external_id
    with transaction.atomic():
        _save_new(user)
    return user


def change_display_name(*, user: User, display_name: str) -> User:
    """Change the name that is shown with all messages of a user.

    Raises:
        InvalidDisplayNameError
        RateLimitedError: too many renames.
        UserNotFoundError: the account was deleted just now.
    """
    name = clean_display_name(display_name)
    if name == user.display_name:
        return user
    with spend_quota("renames", user_id=UserId(user.pk)):
        user.display_name = name
        user.save(update_fields=["display_name"])
    return user


def set_who_may_add(*, user: User, who_may_add: WhoMayAdd) -> User:
    """Set who may add this user to groups; the groups they are in stay the same.

    Raises:
        UserNotFoundError: the account was deleted just now.
    """
    with open_change() as change:
        change.lock_users({user.pk})
        user.who_may_add = who_may_add
        user.save(update_fields=["who_may_add"])
    return user


def set_send_key(*, user: User, send_key: SendKey) -> User:
    """Set which key sends a message in this user's browsers.

    Raises:
        UserNotFoundError: the account was deleted just now.
    """
    with open_change() as change:
        change.lock_users({user.pk})
        user.send_key = send_key
        user.save(update_fields=["send_key"])
    return user


def active_user(*, username: str) -> User:
    """Fetch an active account by its username, in any case.

    Raises:
        UserNotFoundError: no such account, or a suspended one.
    """
    user = User.objects.filter(username_key=username.lower(), is_active=True).first()
    if user is None:
        raise UserNotFoundError("There is no such person.")
    return user


def account_named(*, username: str) -> User:
    """Fetch an account, even if it is suspended; for operators, and for removing blocks.

    Raises:
        UserNotFoundError
    """
    user = User.objects.filter(username_key=username.lower()).first()
    if user is None:
        raise UserNotFoundError(f"There is no account named {username}.")
    return user


def prepared_user(
    username: str, display_name: str | None, password: str | None
) -> User:
    """A new account with checked names, which is not saved yet; its password is hashed.

    Raises:
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        UsernameTakenError
    """
    user = User(
        username=clean_username(username),
        display_name=clean_display_name(
            username if display_name is None else display_name
        ),
    )
    if User.objects.filter(username_key=username.lower()).exists():
        raise _username_taken()
    if password is not None:
        check_strength(password, user=user, field="password")
    user.password = make_password(password)
    return user


def faults(*, username: str, display_name: str, password: str) -> list[InvalidError]:
    """The errors of `register` that depend on these values alone, at most one per value.

    Without a display name, the username is shown. The password is not compared with an
    invalid name, which may be of any length.
    """
    found: list[InvalidError] = []
    user = User(
        username=_cleaned(clean_username, username, found),
        display_name=display_name and _cleaned(clean_display_name, display_name, found),
    )
    try:
        check_strength(password, user=user, field="password")
    except InvalidError as error:
        found.append(error)
    return found


def _cleaned(clean: Callable[[str], str], typed: str, found: list[InvalidError]) -> str:
    """The cleaned value; an empty one, with the error added to `found`, if it is invalid."""
    try:
        return clean(typed)
    except InvalidError as error:
        found.append(error)
        return ""


def _save_new(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Another account took the username or the external id since the check.
        if User.objects.filter(username_key=user.username.lower()).exists():
            raise _username_taken() from error
        raise _external_id_taken() from error


def _username_taken() -> UsernameTakenError:
    return UsernameTakenError("This username is taken.")


def _external_id_taken() -> ExternalIdTakenError:
    return ExternalIdTakenError("Another account has this external id.")
