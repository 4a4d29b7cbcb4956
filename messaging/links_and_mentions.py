"""The parser of links and mentions in messages.

Notifications use the mentions, and pages the links. It takes linear time: it looks at
each character a bounded number of times, and stops after `MOST_LINKS` and
`MOST_MENTIONS`. `tests/messaging/link_and_mention_tables.py` lists, case by case, which
signs belong to an address and who is mentioned; decision 0022 says why.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from messaging.characters import INVISIBLE, has_effect, is_mark, is_unspaced
from messaging.models.users import USERNAME_PATTERN


class SpanKind(StrEnum):
    TEXT = "text"
    LINK = "link"
    MENTION = "mention"


# Not frozen: that takes twice as long to make. Nobody changes an instance.
@dataclass(slots=True)
class Span:
    """A piece of a text. A link's text is its address; a mention's is `@` and a name."""

    kind: SpanKind
    text: str


# At most so many in a message; later ones are plain text. In a page, a link takes far
# more bytes than its characters do.
MOST_LINKS: Final = 200
MOST_MENTIONS: Final = 1000

_FLAGS: Final = re.IGNORECASE | re.ASCII
# One of them is in every link and every mention.
_SIGNS: Final = ("://", "@", "\uff20")
_MENTION_SIGN: Final = r"(?<![A-Za-z0-9_@\uff20])[@\uff20]"
_CANDIDATE: Final = re.compile(rf"https?://|{_MENTION_SIGN}(?=[A-Za-z0-9_])", _FLAGS)
# Only those mentions that could hide the start of an address: `@https://`.
_LINK_CANDIDATE: Final = re.compile(
    rf"https?://|{_MENTION_SIGN}(?=[A-Za-z0-9_][A-Za-z0-9_.\-]{{0,63}}://)", _FLAGS
)
_USERNAME: Final = re.compile(USERNAME_PATTERN)

_ASCII_WORD: Final = re.compile(r"[A-Za-z0-9]")
_PORT: Final = re.compile(r":(\d{1,5})(?!\d)", re.ASCII)
_IPV6: Final = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\]")
# What browsers read before the path: user, host and port.
_AUTHORITY: Final = re.compile(r"[^\s/?#\\<>\"`]*")
# Most hosts: ASCII labels, which need no further checks.
_PLAIN_HOST: Final = re.compile(
    r"[A-Za-z0-9]{1,63}(?:[.\-][A-Za-z0-9]{1,63}){0,20}(?=[/?#\s]|\Z)"
)
_ASCII_LABEL: Final = re.compile(r"[A-Za-z0-9_\-]+")
_SCHEME_AT_END: Final = re.compile(r"https?\Z", re.IGNORECASE | re.ASCII)
# Longer host names cannot be resolved.
_HOST_MAX_LENGTH: Final = 253
_LABEL_MAX_LENGTH: Final = 63
_HIGHEST_PORT: Final = 65535
# Scripts whose letters look like letters of one another.
_ALIKE: Final = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")

# Parts of a path without any sign that may end it.
_PLAIN: Final = re.compile(r"(?:[^\W_\u115f\u1160\u3164\uffa0]|[/%=&+\-#$@|^])+")
_ENDS: Final = frozenset('<>"`\\')
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}
_OPENING: Final = frozenset(_CLOSING.values())
# Signs that belong to the sentence if they end an address.
_TRAILING: Final = frozenset(".,;:!?'*_~")
# Signs that belong to an address only if a letter or number follows.
_INNER: Final = frozenset("\u00b7\u2010\u2011\u2012\u2013\u2014\u2019\u30fb")
_FULL_WIDTH_SIGN: Final = re.compile(
    "[\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffee]"
)
_ENTITY: Final = re.compile(r"&(?:#x?[0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{1,31})\Z")
_LONGEST_ENTITY: Final = 34


def spans(text: str, *, mentions: bool = True) -> list[Span]:
    """Split a text into plain text, links and mentions; joined, the pieces are the text.

    With `mentions=False`, mentions are plain text; the links are the same.
    """
    # Most texts have neither: this is found out far sooner than by the pattern.
    if not any(sign in text for sign in _SIGNS):
        return [Span(SpanKind.TEXT, text)] if text else []
    found: list[Span] = []
    end = 0
    candidates = _CANDIDATE if mentions else _LINK_CANDIDATE
    for start, stop, kind in _found(text, candidates):
        if start > end:
            found.append(Span(SpanKind.TEXT, text[end:start]))
        found.append(Span(kind, text[start:stop]))
        end = stop
    if end < len(text):
        found.append(Span(SpanKind.TEXT, text[end:]))
    return found


def _found(
    text: str, candidates: re.Pattern[str]
) -> Iterator[tuple[int, int, SpanKind]]:
    place = last_link = last_mention = 0
    left = {SpanKind.LINK: MOST_LINKS, SpanKind.MENTION: MOST_MENTIONS}
    while (candidate := candidates.search(text, place)) is not None:
        start, place = candidate.span()
        kind = SpanKind.MENTION if place - start == 1 else SpanKind.LINK
        if not left[kind]:
            continue
        left[kind] -= 1
        if kind is SpanKind.MENTION:
            end = _end_of_mention(text, start, after_mention=last_mention)
        else:
            end = _end_of_link(text, start, place, after_link=last_link)
        if end is None:
            continue
        yield start, end, kind
        place = end
        if kind is SpanKind.LINK:
            last_link = end
        else:
            last_mention = end


def _end_of_mention(text: str, start: int, *, after_mention: int) -> int | None:
    """The end of the name after an `@`; None if it is no mention."""
    name = _USERNAME.match(text, start + 1)
    if name is None or not _may_begin(text, start, after_mention):
        return None
    return name.end() if _is_whole(text, name.end()) else None


def _may_begin(text: str, start: int, after_mention: int) -> bool:
    """Whether a mention may begin here: not within a word, a mail address or a path."""
    place = start - 1
    if place < 0 or text[place].isspace():
        return True
    # Skip invisible characters, and marks, back to the letter that they are on.
    while place >= 0 and (INVISIBLE.match(text[place]) or is_mark(text[place])):
        place -= 1
    if place < 0:
        return True
    before = text[place]
    if before == "/":
        # A slash before it is allowed only after another mention: `@ann/@bob`.
        return 0 < after_mention == place
    return before not in "@\uff20_\\" and not _goes_on(before)


def _is_whole(text: str, end: int) -> bool:
    """Whether the name ends here, and does not go on in letters that are not ASCII."""
    after = text[end : end + 1]
    if not after or after.isspace():
        return True
    if after == "/":
        return not _ASCII_WORD.match(text, end + 1)
    return not (after in "@\uff20" or is_mark(after) or _goes_on(after))


def _goes_on(character: str) -> bool:
    """Whether readers would take a character for part of the ASCII name beside it.

    They would take numbers, and letters of scripts with upper and lower case. Letters
    of other scripts, such as Han or Arabic, may stand directly beside a name.
    """
    if character.lower() != character.upper():
        return True
    category = unicodedata.category(character)
    return category[0] == "N" and not is_unspaced(character)


def _end_of_link(text: str, start: int, host: int, *, after_link: int) -> int | None:
    """The end of the address that begins at `start`; None if it is no address."""
    glued = 0 < after_link == start
    if start and not glued and _ASCII_WORD.match(text, start - 1):
        return None
    end = _end_of_host(text, host)
    if end is None:
        return None
    if text[end : end + 1] in {"/", "?", "#"}:
        opener = text[start - 1] if start else ""
        return _end_of_path(text, end, opener)
    return end


def _end_of_host(text: str, start: int) -> int | None:
    """The end of host and port; None if browsers would open another host than readers see."""
    plain = _PLAIN_HOST.match(text, start)
    if plain is not None and plain.end() - start <= _HOST_MAX_LENGTH:
        return plain.end()
    authority = _authority(text, start)
    if "@" in authority:
        return None
    host = _IPV6.match(text, start)
    if host is not None:
        end = host.end()
        if not _is_ipv6(host[1]):
            return None
    else:
        length = _length_of_host(text, start, authority)
        if not 0 < length <= _HOST_MAX_LENGTH or not _is_honest(authority[:length]):
            return None
        end = start + length
    if text[end : end + 1] == ":" and text[end + 1 : end + 2].isdecimal():
        port = _PORT.match(text, end)
        return port.end() if port and int(port[1]) <= _HIGHEST_PORT else None
    return end


def _authority(text: str, start: int) -> str:
    """The authority as browsers read it, up to the first sign that no address has."""
    read = _AUTHORITY.match(text, start)
    authority = read.group() if read else ""
    if authority.isascii():
        return authority
    for place, character in enumerate(authority):
        if not character.isascii() and not _is_of_host(authority, place):
            return authority[:place]
    return authority


def _length_of_host(text: str, start: int, authority: str) -> int:
    """The length of the host name at the start of an authority, without a final dot."""
    length = label = 0
    for place, character in enumerate(authority):
        if character == ".":
            if place == label or not _is_of_host(authority, place + 1):
                break
            label = place + 1
        elif not _is_of_host(authority, place):
            break
        length = place + 1
    length = label + _length_of_ending(authority[label:length])
    # If two addresses follow each other without a blank, only the first is this host.
    glued = _SCHEME_AT_END.search(authority, label, length)
    if glued is not None and text.startswith("://", start + length):
        length = glued.start()
    return length


def _length_of_ending(label: str) -> int:
    """The length of a host's last label. Another script after ASCII belongs to the sentence."""
    ascii_part = _ASCII_LABEL.match(label)
    if ascii_part is not None and ascii_part.end() < len(label):
        following = label[ascii_part.end()]
        if not (_goes_on(following) or is_mark(following)):
            return len(ascii_part.group().rstrip("-_"))
    return len(label.rstrip("-_"))


def _is_of_host(authority: str, place: int) -> bool:
    character = authority[place : place + 1]
    if character.isascii():
        return character.isalnum() or character in {"-", "_"}
    if INVISIBLE.match(character):
        return has_effect(authority, place)
    if _FULL_WIDTH_SIGN.match(character):
        return False
    return unicodedata.category(character)[0] in "LMNS"


def _is_honest(host: str) -> bool:
    """Whether a host does not look like another host, as far as Unicode's data tell."""
    if host.isascii():
        return any(map(str.isalnum, host))
    labels = host.split(".")
    if max(map(len, labels)) > _LABEL_MAX_LENGTH:
        return False
    # Compatibility characters, such as full-width letters, look like other characters.
    if unicodedata.normalize("NFKC", host) != unicodedata.normalize("NFC", host):
        return False
    return all(len(_look_alikes(label)) < 2 for label in labels)  # noqa: PLR2004


def _look_alikes(label: str) -> set[str]:
    names = (unicodedata.name(character, "") for character in set(label))
    return {name.partition(" ")[0] for name in names} & set(_ALIKE)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _end_of_path(text: str, start: int, opener: str) -> int:
    """The end of path, query and fragment, before signs that belong to the sentence.

    A closing bracket or quote belongs to the address if the opening one does.
    """
    open_brackets = dict.fromkeys(_OPENING, 0)
    end = place = start
    while place < len(text):
        if (plain := _PLAIN.match(text, place)) is not None:
            end = place = plain.end()
            continue
        character = text[place]
        place += 1
        if character in _CLOSING:
            if not open_brackets[_CLOSING[character]]:
                break
            open_brackets[_CLOSING[character]] -= 1
            end = place
        elif character in _OPENING:
            open_brackets[character] += 1
        elif character in _TRAILING:
            if character == opener == "'":
                break
        elif not _is_of_path(text, place - 1):
            break
        elif character not in _INNER:
            end = place
    return _before_entity(text, start, end)


def _is_of_path(text: str, place: int) -> bool:
    character = text[place]
    if character.isascii():
        return character.isprintable() and character not in _ENDS and character != " "
    if character in _INNER:
        following = text[place + 1 : place + 2]
        return bool(following) and following.isalnum()
    if INVISIBLE.match(character):
        return has_effect(text, place)
    if _FULL_WIDTH_SIGN.match(character):
        return False
    return unicodedata.category(character)[0] in "LMNS" or unicodedata.category(
        character
    ) in {"Cn", "Co"}


def _before_entity(text: str, start: int, end: int) -> int:
    """The end without an HTML entity such as `&gt;`, which was pasted from a page's source."""
    while text[end : end + 1] == ";":
        entity = _ENTITY.search(text, max(start, end - _LONGEST_ENTITY), end)
        if entity is None:
            return end
        end = entity.start()
        while text[end - 1] in _TRAILING:
            end -= 1
    return end
