"""What staff do to the accounts of others, in the pages of the administration.

Who may do what is Django's: permissions on users, and only superusers touch an account
that has rights. The proof is an `AdministeredAccount`; it is asked again under the locks
of both accounts. `deletion` deletes.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from messaging.access import AccountViewer, AdministeredAccount, administered_again
from messaging.changes import Change, open_change
from messaging.cursors import decode_number, encode_cursor
from messaging.ids import MAX_ID, UserId
from messaging.models import User
from messaging.pagination import Page, cut_page
from messaging.services.looks import record_password
from messaging.services.passwords import check_strength, replace_password
from messaging.services.people_search import search_users

_NEWEST: Final = "accounts"
# Accounts that one page of suspended ones reads at most.
_MOST_SCANNED: Final = 100_000
_PASSWORD_BYTES: Final = 12


def account_page(
    *,
    viewer: AccountViewer,
    typed: str,
    only_suspended: bool,
    cursor: str | None,
    limit: int,
) -> Page[User]:
    """Accounts, suspended ones too: those found by what is typed, or else the newest first.

    A page reads a bounded number of rows: it may be short or empty, and yet have a
    cursor.

    Raises:
        InvalidCursorError
    """
    if not typed:
        return _newest(only_suspended, cursor, limit)
    found = search_users(typed=typed, cursor=cursor, limit=limit, suspended=True)
    # The search reads no more of them than their names.
    whole = User.objects.in_bulk([user.pk for user in found.items])
    return Page(
        [whole[user.pk] for user in found.items if user.pk in whole], found.next_cursor
    )


def set_active(*, account: AdministeredAccount, is_active: bool) -> None:
    """Suspend an account, or let its user in again.

    While it is suspended nobody signs in to it, and its sessions and tokens open
    nothing. They are kept: they open it again when it is let in.

    Raises:
        RightsRequiredError, UserNotFoundError: it is so since the account was fetched.
    """
    with _administering(account) as (user, _):
        if user.is_active != is_active:
            user.is_active = is_active
            user.save(update_fields=["is_active"])


def set_password_of(*, account: AdministeredAccount, new: str | None) -> str:
    """Set somebody's password, a random one unless it is given; sign them out everywhere.

    They are told: whoever knows the password can sign in with it.

    Returns:
        The password.

    Raises:
        InvalidPasswordError: `new` is too weak.
        RightsRequiredError, UserNotFoundError: it is so since the account was fetched.
    """
    chosen = secrets.token_urlsafe(_PASSWORD_BYTES) if new is None else new
    check_strength(chosen, user=account.user, field="new_password")
    # Hashed before anybody waits for a lock.
    account.user.set_password(chosen)
    with _administering(account) as (user, change):
        user.password = account.user.password
        replace_password(user=user, change=change)
        record_password(by=account.by, user_id=UserId(user.pk))
    return chosen


@contextmanager
def _administering(account: AdministeredAccount) -> Iterator[tuple[User, Change]]:
    """Lock both accounts, and check again; yields the account as it is now."""
    with open_change() as change:
        change.lock_users({account.by, account.user.pk})
        yield administered_again(account), change


def _newest(only_suspended: bool, cursor: str | None, limit: int) -> Page[User]:
    before = MAX_ID if cursor is None else decode_number(_NEWEST, cursor)
    earlier = User.objects.filter(pk__lt=before).order_by("-pk")
    newest = earlier.values_list("pk", flat=True).first()
    if newest is None:
        return Page([], None)
    lowest = newest - _MOST_SCANNED
    rows = earlier.filter(pk__gt=lowest)
    if only_suspended:
        rows = rows.filter(is_active=False)
    page = cut_page(
        list(rows[: limit + 1]),
        limit=limit,
        cursor_of=lambda user: encode_cursor(_NEWEST, user.pk),
    )
    if page.next_cursor is None and User.objects.filter(pk__lte=lowest).exists():
        return Page(page.items, encode_cursor(_NEWEST, lowest + 1))
    return page
