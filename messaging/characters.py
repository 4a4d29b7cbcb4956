"""Properties of characters that Python's `unicodedata` does not have."""

import re
import unicodedata
from typing import Final

# Unicode's Default_Ignorable_Code_Point: these characters have no glyph of their own.
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Further characters that fonts draw without a glyph.
_EMPTY: Final = "\u2800\U0001d159\U00016fe4\ufff9-\ufffb"
# Noncharacters, which Unicode never assigns.
_NO_CHARACTERS: Final = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}"
    for plane in range(0, 0x110000, 0x10000)
)
# For a class of characters in a pattern.
INVISIBLES: Final = f"{_IGNORABLE}{_EMPTY}{_NO_CHARACTERS}"
INVISIBLE: Final = re.compile(f"[{INVISIBLES}]+")

_EMOJI_STYLE: Final = "\ufe0f"
_KEYCAP: Final = "\u20e3"
_BLACK_FLAG: Final = "\U0001f3f4"
_TAGGED_FLAG: Final = re.compile(
    f"{_BLACK_FLAG}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{{3,6}}\U000e007f"
)
_LONGEST_FLAG: Final = 8

# Direction controls: they would let a text reorder its surroundings on the page.
BIDI_CONTROLS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

# Emoji drawn in black and white unless U+FE0F follows them (emoji-data.txt, 17.0).
_PLAIN_EMOJI: Final = re.compile(
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u2328\u23cf"
    "\u23ed-\u23ef\u23f1\u23f2\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb\u25fc"
    "\u2600-\u2604\u260e\u2611\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f"
    "\u2638-\u263a\u2640\u2642\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u2692"
    "\u2694-\u2697\u2699\u269b\u269c\u26a0\u26a7\u26b0\u26b1\u26c8\u26cf\u26d1\u26d3"
    "\u26e9\u26f0\u26f1\u26f4\u26f7-\u26f9\u2702\u2708\u2709\u270c\u270d\u270f\u2712"
    "\u2714\u2716\u271d\u2721\u2733\u2734\u2744\u2747\u2763\u2764\u27a1\u2934\u2935"
    "\u2b05-\u2b07\u3030\u303d\u3297\u3299\U0001f170\U0001f171\U0001f17e\U0001f17f"
    "\U0001f202\U0001f237\U0001f321\U0001f324-\U0001f32c\U0001f336\U0001f37d"
    "\U0001f396\U0001f397\U0001f399-\U0001f39b\U0001f39e\U0001f39f"
    "\U0001f3cb-\U0001f3ce\U0001f3d4-\U0001f3df\U0001f3f3\U0001f3f5\U0001f3f7"
    "\U0001f43f\U0001f441\U0001f4fd\U0001f549\U0001f54a\U0001f56f\U0001f570"
    "\U0001f573-\U0001f579\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f5a5"
    "\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4"
    "\U0001f5d1-\U0001f5d3\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8"
    "\U0001f5ef\U0001f5f3\U0001f5fa\U0001f6cb\U0001f6cd-\U0001f6cf"
    "\U0001f6e0-\U0001f6e5\U0001f6e9\U0001f6f0\U0001f6f3]"
)
_SKIN_TONE: Final = re.compile("[\U0001f3fb-\U0001f3ff]")

# Scripts that write no blanks between words; for a character class in a pattern.
UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1950-\u19df\u1a20-\u1aad"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u30ff\u3105-\u318f"
    "\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaadf\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")

_VIRAMA: Final = 9


def _arabic_forms() -> tuple[frozenset[str], frozenset[str]]:
    """Arabic letters that join the following letter, and those that join the preceding one.

    Derived from presentation forms: a letter with an initial form joins the following
    one.
    """
    joins_on, is_joined = set(), set()
    for code in (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFF00)):
        form, *letters = unicodedata.decomposition(chr(code)).split() or [""]
        if len(letters) == 1:
            letter = chr(int(letters[0], 16))
            if form in {"<initial>", "<medial>"}:
                joins_on.add(letter)
            if form in {"<final>", "<medial>"}:
                is_joined.add(letter)
    return frozenset(joins_on | {"\u0640"}), frozenset(is_joined | {"\u0640"})


_JOINS_ON, _IS_JOINED = _arabic_forms()


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def is_unspaced(character: str) -> bool:
    """Whether a character is of a script that writes no blanks between words."""
    return _UNSPACED.match(character) is not None


def is_visible(text: str) -> bool:
    """Whether a text has a visible character: a letter, number, punctuation mark or symbol.

    Blanks, combining marks, format characters and private characters do not count.
    Unassigned characters do: they may be emoji that are newer than Python's Unicode
    data.
    """
    return any(
        _is_drawn(character)
        for character in INVISIBLE.sub("", text)
        if character != " "
    )


def without_ineffective(text: str) -> str:
    """Remove invisible characters that do not change how the text looks.

    It keeps joiners that join or separate letters, variation selectors that vary an
    emoji, and tags in a flag.
    """
    if INVISIBLE.search(text) is None:
        return text
    return "".join(
        character
        for place, character in enumerate(text)
        if not INVISIBLE.match(character) or has_effect(text, place)
    )


def has_effect(text: str, place: int) -> bool:
    """Whether the invisible character at a position changes how its neighbours look."""
    character = text[place]
    match character:
        case "\u200d":
            effective = _joins(text, place)
        case "\u200c":
            effective = _separates(text, place)
        case "\ufe0f":
            effective = _varies(text, place)
        case _:
            effective = _is_tag(text, place)
    return effective


def _is_drawn(character: str) -> bool:
    category = unicodedata.category(character)
    # Format characters that are not ignorable are visible: Arabic number signs, mostly.
    return category[0] in "LNPS" or category in {"Cf", "Cn"}


def _joins(text: str, place: int) -> bool:
    """Whether a joiner joins: after a virama, or between two emoji."""
    before, after = text[:place][-1:], text[place + 1 : place + 2]
    if before and unicodedata.combining(before) == _VIRAMA:
        return True
    if before == _EMOJI_STYLE:
        before = text[place - 2 : place - 1]
    return _is_pictographic(before) and _is_pictographic(after)


def _separates(text: str, place: int) -> bool:
    """Whether a non-joiner separates: after a virama, or between Arabic letters that join."""
    after = text[place + 1 : place + 2]
    if not after or unicodedata.category(after)[0] != "L":
        return False
    before = place - 1
    # Skip vowel signs, which do not keep letters from joining; up to as many as a letter
    # has in any script.
    while before > max(place - 5, 0) and unicodedata.category(text[before]) == "Mn":
        if unicodedata.combining(text[before]) == _VIRAMA:
            return True
        before -= 1
    return before >= 0 and text[before] in _JOINS_ON and after in _IS_JOINED


def _varies(text: str, place: int) -> bool:
    before, after = text[:place][-1:], text[place + 1 : place + 2]
    if before and before in "0123456789#*":
        return after == _KEYCAP
    return _PLAIN_EMOJI.match(before) is not None


def _is_tag(text: str, place: int) -> bool:
    """Whether a tag character belongs to a flag, such as those of England, Scotland and Wales."""
    start = text.rfind(_BLACK_FLAG, max(place - _LONGEST_FLAG, 0), place)
    if start < 0:
        return False
    flag = _TAGGED_FLAG.match(text, start)
    return flag is not None and place < flag.end()


def _is_pictographic(character: str) -> bool:
    """Whether a character is an emoji or a part of one, unassigned emoji included."""
    if not character:
        return False
    return unicodedata.category(character) in {"So", "Cn"} or bool(
        _SKIN_TONE.match(character) or _PLAIN_EMOJI.match(character)
    )
