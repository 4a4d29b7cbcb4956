"""Accounts: registration, names, and the search for people."""

from collections.abc import Callable, Sequence
from typing import Final, TypedDict

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django_stubs_ext import WithAnnotations

from messaging.changes import open_change
from messaging.cursors import decode_word, encode_cursor
from messaging.errors import (
    ExternalIdTakenError,
    InvalidError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.folding import words
from messaging.ids import UserId
from messaging.models import NameEntry, User
from messaging.models.users import SendKey, WhoMayAdd
from messaging.pagination import Page
from messaging.projections import UserProjection
from messaging.services.invites import check_admission, use_invite
from messaging.services.limits import spend_quota
from messaging.services.passwords import check_strength
from messaging.text import clean_display_name, clean_external_id, clean_username

# Further search words are ignored: each costs an index lookup for every entry that is
# read.
_MOST_WORDS: Final = 8
_LONGEST_TYPED: Final = 200
# Index entries that one page reads at most. Many may not match: the user was found by
# an earlier word, is suspended, or lacks the other words.
_MOST_EXAMINED: Final = 2000
# Sorts after every character that a word can have.
_LAST: Final = "\U0010ffff"


class _Match(TypedDict):
    matches: bool


def register(
    *,
    username: str,
    password: str,
    display_name: str | None,
    invite_code: str | None = None,
) -> User:
    """Register an account, if this installation allows it.

    Raises:
        RegistrationClosedError, InviteRequiredError, InvalidInviteError
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        UsernameTakenError: another account has the name, in any case.
    """
    check_admission(invite_code=invite_code)
    user = _new_user(username, display_name, password)
    with transaction.atomic():
        # In one transaction: a registration that fails uses up no invite.
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
    """Create an account for somebody else, whatever the setting for registration.

    Without a password nobody can sign in to it, but a service may act for its user.

    Raises:
        InvalidUsernameError, InvalidDisplayNameError, InvalidPasswordError
        InvalidExternalIdError, UsernameTakenError, ExternalIdTakenError
    """
    if external_id is not None:
        clean_external_id(external_id)
    user = _new_user(username, display_name, password)
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


def search_users(*, prefix: str, cursor: str | None, limit: int) -> Page[User]:
    """Active users who have a name with a word that begins with `prefix`.

    If `prefix` has several words, the user's names must have a word for each. Names and
    search words are folded: case, accents and composition make no difference. Users are
    in the order of the words found, then of their usernames.

    It reads about as many index entries as the page has users, and stops after about
    `_MOST_EXAMINED`: a page may be short or empty, and yet have a cursor.
    """
    wanted = _wanted(prefix[:_LONGEST_TYPED])
    if not wanted:
        return Page([], None)
    after = "" if cursor is None else decode_word("users", cursor)
    users: list[tuple[User, str]] = []
    examined, count = 0, limit + 1
    while examined < _MOST_EXAMINED:
        rows = _examined(wanted, after, count)
        users += [(row.user, row.entry) for row in rows if row.matches]
        if len(users) > limit:
            return _page(users[:limit], users[limit - 1][1])
        if len(rows) < count:
            return _page(users, None)
        examined += count
        after = rows[-1].entry
        count *= 2
    return _page(users, after)


def _page(users: Sequence[tuple[User, str]], last: str | None) -> Page[User]:
    return Page(
        [user for user, _ in users],
        None if last is None else encode_cursor("users", last),
    )


def _wanted(typed: str) -> list[str]:
    """The search words, longest first, without words that are the start of another one.

    The index is searched for the first word, and the others are looked up for each
    match: the longest word matches least.
    """
    longest_first = sorted(dict.fromkeys(words(typed)), key=len, reverse=True)
    wanted: list[str] = []
    for word in longest_first:
        if not any(other.startswith(word) for other in wanted):
            wanted.append(word)
    return wanted[:_MOST_WORDS]


def _examined(
    wanted: Sequence[str], after: str, count: int
) -> "list[WithAnnotations[NameEntry, _Match]]":
    """The next entries that begin with the first search word, and whether each matches.

    An entry matches if it is the user's first one that begins with that word, if other
    entries of the user begin with the other words, and if the user is active.
    """
    first, *others = wanted
    theirs = NameEntry.objects.filter(user=OuterRef("user"))
    earlier = _beginning(theirs, first).filter(entry__lt=OuterRef("entry"))
    matches = Q(~Exists(earlier), user__is_active=True)
    for word in others:
        matches &= Q(Exists(_beginning(theirs, word)))
    found = _beginning(NameEntry.objects.all(), first).filter(entry__gt=after)
    return list(
        found.annotate(matches=matches)
        .select_related("user")
        .only("entry", *UserProjection.columns("user"))
        .order_by("entry")[:count]
    )


def _beginning(rows: QuerySet[NameEntry], word: str) -> QuerySet[NameEntry]:
    return rows.filter(entry__gte=word, entry__lt=f"{word}{_LAST}")


def _new_user(username: str, display_name: str | None, password: str | None) -> User:
    """A new account with checked names, which is not saved yet; its password is hashed."""
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
