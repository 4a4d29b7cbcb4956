"""Accounts: sign-up, names, looking people up."""

from django.db import IntegrityError, transaction
from django.db.models import F

from messaging.access import lock_users
from messaging.cursors import decode_word, encode_cursor
from messaging.errors import (
    ExternalIdTakenError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.models import Event, Installation, User
from messaging.models.events import EventType
from messaging.pages import Page, cut_page
from messaging.services.events import record_events
from messaging.services.invites import check_admission, use_invite
from messaging.services.passwords import check_strength
from messaging.text import clean_display_name, clean_username


def register(
    *,
    username: str,
    password: str,
    display_name: str | None,
    invite_code: str | None = None,
) -> User:
    """Open an account for oneself, if this installation lets one.

    Raises:
        RegistrationClosedError, InviteRequiredError, InvalidInviteError
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        UsernameTakenError: someone has the name, in whatever case.
    """
    check_admission(invite_code=invite_code)
    user = _new_user(username, display_name, password)
    with transaction.atomic():
        use_invite(invite_code=invite_code)
        _save_new(user)
    return user


def create_account(
    *,
    username: str,
    password: str | None,
    display_name: str | None,
    external_id: str | None = None,
) -> User:
    """Open an account for somebody, whoever may register themselves.

    Without a password nobody signs in to it; a service may act for its person.

    Raises:
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        UsernameTakenError, ExternalIdTakenError
    """
    user = _new_user(username, display_name, password)
    if external_id is not None:
        if User.objects.filter(external_id=external_id).exists():
            raise _external_id_taken()
        user.external_id = external_id
    with transaction.atomic():
        _save_new(user)
    return user


def change_display_name(*, user: User, display_name: str) -> User:
    """Show another name on everything this person wrote.

    Raises:
        InvalidDisplayNameError
        UserNotFoundError: the account was deleted just now.
    """
    user.display_name = clean_display_name(display_name)
    with transaction.atomic():
        lock_users({user.pk})
        user.save(update_fields=["display_name"])
    return user


def note_rename(*, user: User) -> None:
    """Renew every page, since a name is about to change that any of them may show.

    For `pre_save`: whoever renames a person, through whatever door, goes past it.
    There is no telling which pages: people stay on those of groups they left, and
    may be writing their first message to another just now.
    """
    shown = {"username": user.username, "display_name": user.display_name}
    # Locked before the clock, like everywhere.
    stored = User.objects.select_for_update(no_key=True).filter(pk=user.pk)
    if not stored.exclude(**shown):
        return
    Installation.objects.update(names=F("names") + 1)
    record_events([Event(type=EventType.USER_UPDATED, user=user)])


def active_user(*, username: str) -> User:
    """Someone to write to, whatever the case of the name.

    Raises:
        UserNotFoundError: no such account, or a suspended one.
    """
    user = User.objects.filter(username_key=username.lower(), is_active=True).first()
    if user is None:
        raise UserNotFoundError("There is no such person.")
    return user


def account_named(*, username: str) -> User:
    """An account, suspended ones too: to operate on it, or to unblock it.

    Raises:
        UserNotFoundError
    """
    user = User.objects.filter(username_key=username.lower()).first()
    if user is None:
        raise UserNotFoundError(f"There is no account named {username}.")
    return user


def search_users(*, prefix: str, cursor: str | None, limit: int) -> Page[User]:
    """Active people whose username begins so, whatever its case, by username.

    Reads as many index entries as the page has, however many people there are.
    """
    start = prefix.lower()
    found = User.objects.filter(
        username_key__gte=start, username_key__lt=f"{start}\U0010ffff", is_active=True
    )
    if cursor is not None:
        found = found.filter(username_key__gt=decode_word("users", cursor))
    rows = found.only("username", "display_name", "username_key").order_by(
        "username_key"
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda user: encode_cursor("users", user.username.lower()),
    )


def _new_user(username: str, display_name: str | None, password: str | None) -> User:
    """An account that may be saved; its password is hashed, if it has one."""
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
    user.set_password(password)
    return user


def _save_new(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Someone was faster.
        if User.objects.filter(username_key=user.username.lower()).exists():
            raise _username_taken() from error
        raise _external_id_taken() from error


def _username_taken() -> UsernameTakenError:
    return UsernameTakenError("This username is taken.")


def _external_id_taken() -> ExternalIdTakenError:
    return ExternalIdTakenError("Another account has this external id.")
