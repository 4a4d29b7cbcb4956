"""What people type, made fit to keep: trimmed, bounded, storable in both databases."""

import re
import unicodedata
from typing import Final

from messaging.errors import (
    InvalidContentError,
    InvalidDisplayNameError,
    InvalidTitleError,
    InvalidUsernameError,
)
from messaging.models.conversations import Conversation
from messaging.models.messages import CONTENT_MAX_LENGTH
from messaging.models.users import (
    DISPLAY_NAME_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    USERNAME_PATTERN,
)

TITLE_MAX_LENGTH: Final = Conversation._meta.get_field("title").max_length or 0

# PostgreSQL holds no NUL, and neither database a lone surrogate.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
# Would let a name rearrange the text around it.
_BIDI_CONTROLS: Final = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Of categories of their own, and drawn as nothing.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_USERNAME: Final = re.compile(USERNAME_PATTERN)
_MENTION: Final = re.compile(rf"(?<![\w@])@({USERNAME_PATTERN})")


def is_storable(text: str) -> bool:
    """Whether both databases can hold this text, and be asked for it."""
    return _UNSTORABLE.search(text) is None


def clean_content(text: str) -> str:
    """Trim a message's content.

    Raises:
        InvalidContentError: nothing is left, over 5,000 characters, or a NUL or
            lone surrogate in it.
    """
    content = text.strip()
    if not content:
        raise InvalidContentError("A message cannot be blank.", field="content")
    if len(content) > CONTENT_MAX_LENGTH:
        raise InvalidContentError(
            f"A message has at most {CONTENT_MAX_LENGTH:,} characters; "
            f"this one has {len(content):,}.",
            field="content",
        )
    if not is_storable(content):
        raise InvalidContentError(
            "A message cannot hold NUL characters or lone surrogates.",
            field="content",
        )
    return content


def clean_username(text: str) -> str:
    """Check a username; case is kept, and ignored when it is looked up.

    Raises:
        InvalidUsernameError: not of the form that usernames have.
    """
    if not _USERNAME.fullmatch(text):
        raise InvalidUsernameError(
            f"A username has 1 to {USERNAME_MAX_LENGTH} letters (a-z), digits, "
            "'_', '.' and '-', and does not begin or end with '.' or '-'.",
            field="username",
        )
    return text


def clean_display_name(text: str) -> str:
    """Trim a display name.

    Raises:
        InvalidDisplayNameError: blank or invisible, over 100 characters, or with
            control characters.
    """
    name = text.strip()
    if not _is_line(name, DISPLAY_NAME_MAX_LENGTH):
        raise InvalidDisplayNameError(
            f"A display name has 1 to {DISPLAY_NAME_MAX_LENGTH} characters, "
            "none of them a control character.",
            field="display_name",
        )
    return name


def clean_title(text: str) -> str:
    """Trim a group's title.

    Raises:
        InvalidTitleError: blank or invisible, over 200 characters, or with control
            characters.
    """
    title = text.strip()
    if not _is_line(title, TITLE_MAX_LENGTH):
        raise InvalidTitleError(
            f"A title has 1 to {TITLE_MAX_LENGTH} characters, "
            "none of them a control character.",
            field="title",
        )
    return title


def mentioned_usernames(content: str) -> frozenset[str]:
    """The names after an `@`, in lower case; whoever they may belong to."""
    return frozenset(name.lower() for name in _MENTION.findall(content))


def _is_line(text: str, max_length: int) -> bool:
    return (
        len(text) <= max_length
        and _is_visible(text)
        and not any(
            unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
            or character in _BIDI_CONTROLS
            for character in text
        )
    )


def _is_visible(text: str) -> bool:
    """Whether there is anything to point at: a letter, number, mark of its own or sign."""
    return any(
        unicodedata.category(character)[0] in "LNPS" and character not in _BLANK
        for character in text
    )
