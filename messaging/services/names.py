"""Data that is derived from users' names: their normal form, the search index, cached pages."""

from collections.abc import Iterable
from typing import Final

from messaging.changes import changing_account, open_change
from messaging.database import erase_rows
from messaging.errors import UserNotFoundError
from messaging.folding import fold, searchable_words
from messaging.ids import UserId
from messaging.models import Event, NameEntry, User
from messaging.models.events import EventType
from messaging.text import clean_display_name

_BATCH: Final = 2000


def normalise_names(*, user: User) -> None:
    """Normalise the names of an account that is about to be saved; renew the pages that show them.

    For `pre_save`, which every registration and rename sends. Unchanged names stay as
    they are stored.

    Raises:
        InvalidDisplayNameError
        UserNotFoundError: the account was deleted just now.
    """
    # No page shows a new account yet, so there is nothing to renew.
    if user._state.adding:
        user.display_name = clean_display_name(user.display_name)
    else:
        _note_rename(user)
    user.folded_name = folded_name(user.username, user.display_name)


def folded_name(username: str, display_name: str) -> str:
    """Both names, folded, to find any part of them."""
    return fold(f"{username} {display_name}")


def add_entries(users: Iterable[User]) -> None:
    """Index the names of new users, in the transaction that creates their accounts."""
    NameEntry.objects.bulk_create(
        (
            NameEntry(user=user, entry=entry)
            for user in users
            for entry in entries(user)
        ),
        batch_size=_BATCH,
    )


def entries(user: User) -> list[str]:
    """The index entries of a user: one for each word, and one for the whole username."""
    key = user.username.lower()
    found = {
        key,
        *searchable_words(user.username),
        *searchable_words(user.display_name),
    }
    return sorted(f"{word} {key}" for word in found)


def renew_entries(user: User) -> None:
    """Replace a user's index entries by those of their present names."""
    erase_rows(NameEntry.objects.filter(user=user))
    add_entries([user])


def _note_rename(user: User) -> None:
    """If a name changed, reindex it and renew the pages that may show it.

    The account is locked until the new name is committed. Adding the user to a
    conversation takes the same lock, so that no page with the old name can appear
    meanwhile.

    Raises:
        InvalidDisplayNameError
        UserNotFoundError: the account was deleted just now.
    """
    stored = _renamed(user)
    if stored is None:
        return
    if stored.display_name != user.display_name:
        user.display_name = clean_display_name(user.display_name)
    user_id = UserId(user.pk)
    with changing_account(user_id) as change:
        renew_entries(user)
        change.renew(*change.conversations_of(user_id))
        change.record(Event(type=EventType.USER_UPDATED, user=user))


def _renamed(user: User) -> User | None:
    """The stored account if one of its names differs, else None.

    If none differs, the account stays locked.
    """

    def differs(stored: User) -> bool:
        names = (stored.username, stored.display_name)
        return names != (user.username, user.display_name)

    rows = User.objects.filter(pk=user.pk).only("username", "display_name")
    with open_change() as change:
        stored = change.locked_unless(rows, differs)
    if stored is None:
        raise UserNotFoundError("There is no such person.")
    return stored if differs(stored) else None
