"""Accounts: sign-up, sign-in, profile and password."""

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from messaging.cursors import decode_word, encode_cursor
from messaging.errors import (
    ExternalIdTakenError,
    InvalidPasswordError,
    SignInError,
    UsernameTakenError,
    UserNotFoundError,
    WrongPasswordError,
)
from messaging.ids import TokenId
from messaging.models import AccessToken, Event, Installation, Session, User
from messaging.models.events import EventType
from messaging.pages import Page, cut_page
from messaging.services.events import record_events
from messaging.services.invites import check_admission, use_invite
from messaging.text import clean_display_name, clean_username


@dataclass(frozen=True, slots=True)
class SignedOut:
    """How much was ended."""

    tokens: int
    sessions: int


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


def sign_in(*, username: str, password: str) -> User:
    """The account of this name and password.

    Raises:
        SignInError: unknown name, wrong password and suspended account look
            alike, and take one password hashing each.
    """
    user = authenticate(username=username, password=password)
    if not isinstance(user, User):
        raise SignInError("Unknown username or wrong password.")
    return user


def confirm_password(*, user: User, password: str) -> None:
    """Make sure that it is still them.

    Raises:
        WrongPasswordError
    """
    if not user.check_password(password):
        raise WrongPasswordError("The password is wrong.")


def change_password(
    *, user: User, current: str, new: str, keep_token: TokenId | None
) -> None:
    """Set a new password; end every session, and every token but the one in use.

    Raises:
        WrongPasswordError: `current` is not the password.
        InvalidPasswordError: `new` is too weak.
    """
    if not user.check_password(current):
        raise WrongPasswordError("The current password is wrong.")
    _check_password_strength(new, user=user, field="new_password")
    user.set_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        sign_out(user=user, keep_token=keep_token)


def set_password(*, user: User, new: str) -> SignedOut:
    """Set somebody's password without knowing the old one, and sign them out.

    For operators.

    Raises:
        InvalidPasswordError: `new` is too weak.
    """
    _check_password_strength(new, user=user, field="password")
    user.set_password(new)
    with transaction.atomic():
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


def change_display_name(*, user: User, display_name: str) -> User:
    """Show another name on everything this person wrote.

    Raises:
        InvalidDisplayNameError
    """
    user.display_name = clean_display_name(display_name)
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


def lock_users(user_ids: Collection[int]) -> None:
    """Keep accounts from being deleted until they take part in something new.

    In a transaction, after its conversations are locked. Without it, both databases
    would find out only when it commits, and hold up everybody meanwhile.

    Raises:
        UserNotFoundError: one was deleted just now.
    """
    users = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids)
    if len(users.order_by("pk").values_list("pk")) != len(user_ids):
        raise UserNotFoundError("There is no such person.")


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


def _check_password_strength(password: str, *, user: User, field: str) -> None:
    try:
        validate_password(password, user=user)
    except ValidationError as error:
        raise InvalidPasswordError(error.messages, field=field) from error


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
        _check_password_strength(password, user=user, field="password")
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
