"""Folding of text for search: two texts match if they fold to the same.

Case, width, ligatures and composition are folded by Unicode's rules (NFKC and case
folding). Accents are dropped: `resume` finds `résumé`, and the reverse. So are signs
that readers of a script leave out: vowel points of Arabic and Hebrew, the tatweel, the
nukta. Marks that make another letter are kept: vowel signs of India, tones of Thailand,
the voicing of kana.

Python does the folding, so that both databases agree: SQLite folds ASCII alone,
PostgreSQL by its locale.
"""

import re
import unicodedata
from itertools import chain
from typing import Final

from messaging.characters import INVISIBLE, UNSPACED, is_unspaced

# Longer words are cut.
WORD_MAX_LENGTH: Final = 64
# At most so many search words of one name.
MOST_WORDS: Final = 200

_ACCENT: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    # Points and accents of Hebrew, of Arabic, of Syriac.
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    "\u06ea-\u06ed\u0711\u0730-\u074a\u08ca-\u08e1\u08e3-\u08ff"
    # The nuktas of India.
    "\u093c\u09bc\u0a3c\u0abc\u0b3c\u0c3c\u0cbc]"
)
# Letters that Unicode does not decompose, such as letters with a stroke, and letters
# that Arabic and Persian keyboards exchange.
_LETTERS: Final = str.maketrans(
    {
        "\u0131": "i",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00f8": "o",
        "\u0142": "l",
        "\u0127": "h",
        "\u0167": "t",
        "\u0180": "b",
        "\u01e5": "g",
        "\u0268": "i",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u00fe": "th",
        "\u0138": "k",
        "\u014b": "n",
        "\u06a9": "\u0643",
        "\u06cc": "\u064a",
        "\u0649": "\u064a",
    }
)
# A blank or middle dot between names, in scripts that may leave it out.
_GAP: Final = re.compile(rf"(?<=[{UNSPACED}])[\s\u30fb\uff65]+(?=[{UNSPACED}])")
_APOSTROPHES: Final = re.compile("['\u2018\u2019\u02bc\u02bb\u00b4`]")


def fold(text: str) -> str:
    """Fold a text for search."""
    folded = _without_accents(case_folded(text))
    # A second time: after accents are removed, further letters may compose or fold.
    return _without_accents(case_folded(folded))


def words(text: str) -> list[str]:
    """The folded words of a text, in order; a piece without letters counts as one word."""
    return [
        word[:WORD_MAX_LENGTH]
        for piece in fold(text).split()
        for word in (_tokens(piece) or [piece])
    ]


def searchable_words(text: str) -> set[str]:
    """The words by whose beginnings a search finds a text, at most `MOST_WORDS`.

    These are the words of the text. In scripts without blanks between words (Chinese,
    Japanese, Thai), the rest of a word after each of its letters is one, too.
    """
    found: dict[str, None] = {}
    # So that `oconnor` finds O'Connor, and names are found with and without gaps.
    spellings = (text, _APOSTROPHES.sub("", text), _GAP.sub("", text))
    for word in chain.from_iterable(map(words, spellings)):
        for start, letter in enumerate(word):
            if start and not _may_begin(word, start, letter):
                continue
            found[word[start:]] = None
    return set(list(found)[:MOST_WORDS])


def _may_begin(word: str, start: int, letter: str) -> bool:
    return unicodedata.category(letter)[0] != "M" and (
        is_unspaced(letter) or is_unspaced(word[start - 1])
    )


def case_folded(text: str) -> str:
    """Remove differences in case, width, composition and invisible characters."""
    composed = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    return unicodedata.normalize("NFKC", composed.casefold())


def _without_accents(text: str) -> str:
    bare = _ACCENT.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).translate(_LETTERS)


def _tokens(piece: str) -> list[str]:
    """Split into runs of letters, numbers and marks, and runs of signs such as emoji."""
    tokens: list[str] = []
    before = ""
    for character in piece:
        kind = _kind(character)
        if kind and kind == before:
            tokens[-1] += character
        elif kind:
            tokens.append(character)
        before = kind
    return tokens


def _kind(character: str) -> str:
    """The kind of token that a character belongs to; empty for separators."""
    match unicodedata.category(character)[0]:
        case "L" | "M" | "N":
            return "word"
        case "S" | "C":
            return "sign"
        case _:
            return ""
