"""The accounts of those who wrote what is imported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from django.contrib.auth.hashers import make_password

from messaging.ids import UserId
from messaging.interchange.batches import batches
from messaging.interchange.staging import StagedConversation, Staging
from messaging.interchange.usernames import (
    fitting_display_name,
    nearest_username,
    numbered_username,
)
from messaging.models import User

# Below the number of parameters that every SQLite takes.
_BATCH: Final = 500
# How many numbered usernames are looked up at once.
_WINDOW: Final = 50


def identify_people(staging: Staging, conversation: StagedConversation) -> int:
    """Find the accounts of a conversation's senders, opening those that are missing.

    An account is found by the name it was imported under, never by its username:
    whoever registered that here is someone else.

    Returns:
        How many accounts were opened. Nobody can sign in to one before it is
        given a password.
    """
    opened = 0
    for nicknames in batches(staging.nicknames(conversation), _BATCH):
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
        User(
            username=username,
            display_name=fitting_display_name(nickname),
            external_id=nickname,
            password=make_password(None),
        )
        for nickname, username in _free_usernames(staging, nicknames)
    ]
    User.objects.bulk_create(users)
    return {
        nickname: UserId(user.pk)
        for nickname, user in zip(nicknames, users, strict=True)
    }


def _free_usernames(
    staging: Staging, nicknames: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """A username for each nickname, in their order.

    Who is called just as a username gets it, wherever in the file they come:
    so a run that was broken off and resumed gives the same names.
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
    """The first of bob-2, bob-3 … that nobody has or claims."""
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
