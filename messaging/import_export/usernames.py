"""Usernames for nicknames: valid, distinct, and the same in every run."""

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
    fitting_line,
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
    """A valid username that is close to a nickname: the nickname itself if it is valid."""
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
    """A nickname without the characters that a display name cannot have."""
    try:
        return clean_display_name(nickname)
    except InvalidDisplayNameError:
        return fitting_line(nickname, DISPLAY_NAME_MAX_LENGTH) or _NAMELESS


def fitting_title(name: str) -> str:
    """A conversation's name without the characters that a title cannot have."""
    try:
        return clean_title(name)
    except InvalidTitleError:
        return fitting_line(name, TITLE_MAX_LENGTH) or _UNTITLED
