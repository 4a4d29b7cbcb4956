"""Validates and normalises typed text: trimmed, bounded, visible, and storable in both
databases.
"""

import re
import unicodedata
from typing import Final

from messaging.characters import (
    BIDI_CONTROLS,
    INVISIBLE,
    INVISIBLES,
    is_visible,
    without_ineffective,
)
from messaging.errors import (
    InvalidContentError,
    InvalidDisplayNameError,
    InvalidError,
    InvalidExternalIdError,
    InvalidServerNameError,
    InvalidServiceNameError,
    InvalidTitleError,
    InvalidTokenNameError,
    InvalidUsernameError,
)
from messaging.links_and_mentions import SpanKind, spans
from messaging.models.conversations import Conversation
from messaging.models.credentials import ServiceToken
from messaging.models.installation import SERVER_NAME_MAX_LENGTH
from messaging.models.messages import CONTENT_MAX_LENGTH
from messaging.models.users import (
    DISPLAY_NAME_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    USERNAME_PATTERN,
    AccessToken,
    User,
)

TITLE_MAX_LENGTH: Final = Conversation._meta.get_field("title").max_length or 0
_TOKEN_NAME_MAX_LENGTH: Final = AccessToken._meta.get_field("name").max_length or 0
_SERVICE_NAME_MAX_LENGTH: Final = ServiceToken._meta.get_field("name").max_length or 0
_EXTERNAL_ID_MAX_LENGTH: Final = User._meta.get_field("external_id").max_length or 0

# PostgreSQL stores no NUL character, and neither database stores a lone surrogate.
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_LINE_END: Final = re.compile("\r\n?")
_BLANK_LINES: Final = re.compile(rf"[\s{INVISIBLES}]*\n")
_UP_TO_LAST_VISIBLE: Final = re.compile(rf"(?s:.*)[^\s{INVISIBLES}]")
_USERNAME: Final = re.compile(USERNAME_PATTERN)

# No writing system puts more marks on one letter.
_MOST_MARKS: Final = 4
# Refuse input longer than this many times the limit unread: normalising it would be
# expensive.
_MOST_TYPED: Final = 5


class CleanContent(str):
    """A message's content that `clean_content` returned: it is not cleaned again.

    A service cleans before it opens a change, so that nothing is locked for content that
    is refused; the receivers of `Message.save()` clean what comes to them otherwise.
    """

    __slots__ = ()


def is_storable(text: str) -> bool:
    """Whether both databases can store this text and search for it."""
    return _UNSTORABLE.search(text) is None


def trimmed_content(text: str) -> str:
    """The content as it is stored: lines end in LF, blank lines around it are removed.

    Blanks at the end are removed, too; the first line keeps its indentation. U+2028,
    U+2029 and U+0085 are kept as characters: no browser shows them as the end of a
    line.
    """
    lines = _LINE_END.sub("\n", text)
    visible = _UP_TO_LAST_VISIBLE.match(lines)
    if visible is None:
        return ""
    blank = _BLANK_LINES.match(lines)
    end = lines.find("\n", visible.end())
    return lines[blank.end() if blank else 0 : end if end >= 0 else None].rstrip()


def clean_content(text: str) -> CleanContent:
    """Trim a message's content; what was cleaned before is returned as it is.

    Raises:
        InvalidContentError: nothing visible is left, it has over 5,000 characters, or a
            NUL or lone surrogate.
    """
    if isinstance(text, CleanContent):
        return text
    content = trimmed_content(text)
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
    if not is_visible(content):
        raise InvalidContentError(
            "A message cannot be blank: nothing in it can be seen.", field="content"
        )
    return CleanContent(content)


def clean_username(text: str) -> str:
    """Check a username. It keeps its case, which is ignored when it is looked up.

    Raises:
        InvalidUsernameError: it does not have the form of a username.
    """
    if not _USERNAME.fullmatch(text):
        raise InvalidUsernameError(
            f"A username has 1 to {USERNAME_MAX_LENGTH} letters (a-z), digits, "
            "'_', '.' and '-', and does not begin or end with '.' or '-'.",
            field="username",
        )
    return text


def clean_display_name(text: str) -> str:
    """Normalise a display name: see `_line`.

    Raises:
        InvalidDisplayNameError: it is blank or invisible, has over 100 characters,
            control characters, or more marks than a letter bears.
    """
    refusal = InvalidDisplayNameError(
        f"A display name has {_described(DISPLAY_NAME_MAX_LENGTH)}.",
        field="display_name",
    )
    return _line_or_refuse(text, DISPLAY_NAME_MAX_LENGTH, refusal)


def clean_title(text: str) -> str:
    """Normalise a group's title, like a display name.

    Raises:
        InvalidTitleError: as for a display name, or over 200 characters.
    """
    refusal = InvalidTitleError(
        f"A title has {_described(TITLE_MAX_LENGTH)}.", field="title"
    )
    return _line_or_refuse(text, TITLE_MAX_LENGTH, refusal)


def clean_server_name(text: str) -> str:
    """Normalise the name of the installation, like a display name.

    Raises:
        InvalidServerNameError: as for a display name, or over 60 characters.
    """
    refusal = InvalidServerNameError(
        f"A server's name has {_described(SERVER_NAME_MAX_LENGTH)}.",
        field="server_name",
    )
    return _line_or_refuse(text, SERVER_NAME_MAX_LENGTH, refusal)


def clean_token_name(text: str) -> str:
    """Normalise a token's name, like a display name; it may be empty.

    Raises:
        InvalidTokenNameError: as for a display name, unless it is blank.
    """
    if not INVISIBLE.sub("", text).strip():
        return ""
    refusal = InvalidTokenNameError(
        f"A token's name has {_described(_TOKEN_NAME_MAX_LENGTH)}.", field="name"
    )
    return _line_or_refuse(text, _TOKEN_NAME_MAX_LENGTH, refusal)


def clean_service_name(text: str) -> str:
    """Normalise a service token's name, like a display name.

    Raises:
        InvalidServiceNameError: as for a display name.
    """
    refusal = InvalidServiceNameError(
        f"A service's name has {_described(_SERVICE_NAME_MAX_LENGTH)}.", field="name"
    )
    return _line_or_refuse(text, _SERVICE_NAME_MAX_LENGTH, refusal)


def clean_external_id(text: str) -> str:
    """Check the id of a person in another system; it is not normalised.

    Raises:
        InvalidExternalIdError: it has nothing visible, over 255 characters, or is not
            storable.
    """
    if (
        len(text) > _EXTERNAL_ID_MAX_LENGTH
        or not is_storable(text)
        or not is_visible(text)
    ):
        raise InvalidExternalIdError(
            f"An external id has 1 to {_EXTERNAL_ID_MAX_LENGTH} characters, of which "
            "at least one can be seen.",
            field="external_id",
        )
    return text


def fitting_line(text: str, max_length: int) -> str:
    """Make a name or title of any text, cut if it is too long; empty if nothing is left."""
    kept = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(_normalised(kept[: max_length * _MOST_TYPED]).split())
    return _line(line[:max_length], max_length) or ""


def mentioned_usernames(content: str) -> frozenset[str]:
    """The mentioned usernames, in lower case; accounts of these names may not exist."""
    return frozenset(
        span.text[1:].lower()
        for span in spans(content)
        if span.kind is SpanKind.MENTION
    )


def _line_or_refuse(text: str, max_length: int, refusal: InvalidError) -> str:
    line = _line(text, max_length)
    if line is None:
        raise refusal
    return line


def _line(text: str, max_length: int) -> str | None:
    """A name in its normal form; None if it cannot have one.

    The form is composed (NFC), with single spaces, without invisible characters that
    change nothing. So two names that differ look different.
    """
    typed = text.strip()
    if len(typed) > max_length * _MOST_TYPED or not is_storable(typed):
        return None
    if BIDI_CONTROLS.search(typed) or any(map(_is_control, typed)):
        return None
    line = " ".join(_normalised(typed).split())
    fits = len(line) <= max_length and is_visible(line) and not _is_piled_up(line)
    return line if fits else None


def _normalised(text: str) -> str:
    return unicodedata.normalize(
        "NFC", without_ineffective(unicodedata.normalize("NFC", text))
    )


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}


def _is_piled_up(line: str) -> bool:
    """Whether a letter has so many marks that they cover the lines around it."""
    marks = 0
    for character in line:
        match unicodedata.category(character):
            case "Mn" | "Me":
                marks += 1
            case "Mc":
                continue
            case _:
                marks = 0
        if marks > _MOST_MARKS:
            return True
    return False


def _described(max_length: int) -> str:
    return (
        f"1 to {max_length} characters that can be seen, no control characters, and at "
        f"most {_MOST_MARKS} marks on a letter"
    )
