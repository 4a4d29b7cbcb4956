"""The accounts of the senders of imported messages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from django.contrib.auth.hashers import make_password

from messaging.database import batches
from messaging.ids import UserId
from messaging.import_export.staging import StagedConversation, Staging
from messaging.import_export.usernames import (
    fitting_display_name,
    nearest_username,
    numbered_username,
)
from messaging.models import User
from messaging.services.names import add_entries, folded_name

# Below the number of parameters that every SQLite takes.
_BATCH: Final = 500
# Numbered usernames that one query looks up.
_WINDOW: Final = 50


def identify_users(
    staging: Staging, conversation: StagedConversation, numbers: Sequence[int]
) -> int:
    """Find the accounts of the senders of these lines, and create missing ones.

    An account is found by its imported name, never by its username: somebody else may
    have registered that username here.

    Returns:
        The number of accounts created. Nobody can sign in to them before an operator
        sets a
        password.
    """
    opened = 0
    for nicknames in batches(staging.nicknames(conversation, numbers), _BATCH):
        known = _known_accounts(nicknames)
        missing = [name for name in nicknames if name not in known]
        staging.identify({**known, **_open_accounts(staging, missing)})
        opened += len(missing)
    return opened


def _known_accounts(nicknames: Sequence[str]) -> dict[str, UserId]:
    users = User.objects.filter(external_id__in=nicknames)
    return {
        nickname: UserId(pk)
        for nickname, pk in users.values_list("external_id", "pk")
        if nickname is not None
    }


def _open_accounts(staging: Staging, nicknames: Sequence[str]) -> Mapping[str, UserId]:
    users = [
        _account(nickname, username)
        for nickname, username in _free_usernames(staging, nicknames)
    ]
    User.objects.bulk_create(users)
    add_entries(users)
    return {
        nickname: UserId(user.pk)
        for nickname, user in zip(nicknames, users, strict=True)
    }


def _account(nickname: str, username: str) -> User:
    display_name = fitting_display_name(nickname)
    return User(
        username=username,
        display_name=display_name,
        folded_name=folded_name(username, display_name),
        external_id=nickname,
        # An unusable password, until an operator sets one.
        password=make_password(None),
    )


def _free_usernames(
    staging: Staging, nicknames: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """A username for each nickname, in order.

    A nickname that is a valid username gets it, wherever in the file it occurs; so a
    run that was interrupted and resumed gives the same usernames.
    """
    wishes = [nearest_username(nickname) for nickname in nicknames]
    taken = _taken(wishes)
    for nickname, wish in zip(nicknames, wishes, strict=True):
        username = wish
        if wish.lower() in taken or staging.claimant(wish) not in {None, nickname}:
            username = _free_number(staging, wish, given=taken)
        taken.add(username.lower())
        yield nickname, username


def _free_number(staging: Staging, wish: str, *, given: set[str]) -> str:
    """The first of bob-2, bob-3 … that no account has and no nickname claims."""
    for start in count(staging.last_number(wish) + 1, _WINDOW):
        window = {
            number: numbered_username(wish, number)
            for number in range(start, start + _WINDOW)
        }
        taken = given | _taken(window.values())
        for number, username in window.items():
            if username.lower() not in taken and not staging.claimant(username):
                staging.note_number(wish, number)
                return username
    raise AssertionError  # count() never ends


def _taken(usernames: Iterable[str]) -> set[str]:
    keys = {username.lower() for username in usernames}
    return set(
        User.objects.filter(username_key__in=keys).values_list(
            "username_key", flat=True
        )
    )
