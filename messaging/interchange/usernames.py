"""Usernames for nicknames: valid, distinct, and the same on every run."""

import re
import unicodedata
from typing import Final

from messaging.errors import (
    InvalidDisplayNameError,
    InvalidTitleError,
    InvalidUsernameError,
)
from messaging.models.users import DISPLAY_NAME_MAX_LENGTH, USERNAME_MAX_LENGTH
from messaging.text import (
    TITLE_MAX_LENGTH,
    clean_display_name,
    clean_title,
    clean_username,
)

_NAMELESS: Final = "person"
_UNTITLED: Final = "Untitled"
_INVALID_RUN: Final = re.compile(r"[^A-Za-z0-9_.\-]+")


def is_username(nickname: str) -> bool:
    try:
        clean_username(nickname)
    except InvalidUsernameError:
        return False
    return True


def nearest_username(nickname: str) -> str:
    """A valid username like this: the nickname itself, if it is one."""
    if is_username(nickname):
        return nickname
    unaccented = "".join(
        character
        for character in unicodedata.normalize("NFKD", nickname)
        if not unicodedata.combining(character)
    )
    valid = _INVALID_RUN.sub("-", unaccented).strip(".-")
    return valid[:USERNAME_MAX_LENGTH].rstrip(".-") or _NAMELESS


def numbered_username(username: str, number: int) -> str:
    """`bob-2` for the second bob, cut so that the number fits."""
    ending = f"-{number}"
    return f"{username[: USERNAME_MAX_LENGTH - len(ending)].rstrip('.-')}{ending}"


def fitting_display_name(nickname: str) -> str:
    """The nickname, without what a display name cannot hold."""
    try:
        return clean_display_name(nickname)
    except InvalidDisplayNameError:
        return _printable(nickname, DISPLAY_NAME_MAX_LENGTH) or _NAMELESS


def fitting_title(name: str) -> str:
    """The name of a conversation, without what a title cannot hold."""
    try:
        return clean_title(name)
    except InvalidTitleError:
        return _printable(name, TITLE_MAX_LENGTH) or _UNTITLED


def _printable(text: str, max_length: int) -> str:
    """On one line, without control characters of any kind, and cut."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(kept.split())[:max_length].strip()
