"""Names, titles and contents are cleaned before they are stored."""

import unicodedata
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.errors import (
    InvalidContentError,
    InvalidDisplayNameError,
    InvalidExternalIdError,
    InvalidServiceNameError,
    InvalidTitleError,
    InvalidUsernameError,
)
from messaging.text import (
    clean_content,
    clean_display_name,
    clean_external_id,
    clean_service_name,
    clean_title,
    clean_token_name,
    clean_username,
    fitting_line,
    mentioned_usernames,
)

LINES: Final[tuple[tuple[Callable[[str], str], type[Exception]], ...]] = (
    (clean_display_name, InvalidDisplayNameError),
    (clean_title, InvalidTitleError),
    (clean_service_name, InvalidServiceNameError),
)

# What names are made of, and what makes them look alike.
ALPHABET: Final = st.one_of(
    st.characters(),
    st.sampled_from(
        "aé \u00a0\u3000\u200b\u200c\u200d\ufe0f\u0301\u0353म्क👩💻❤1\u20e3بد\u064e🏴"
        "\U000e0067\U000e007f\u0344\u0958"
    ),
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" hello\n", " hello"),
        ("two\nlines", "two\nlines"),
        ("two\r\nlines\rmore", "two\nlines\nmore"),
        ("    if x:\r\n        y\r\n", "    if x:\n        y"),
        ("\n \t\n\u3000\n  code\n\n", "  code"),
        ("\u200b\n\u3164\n\ttext \u00a0\n\u2800\n \n", "\ttext"),
        ("a\n\nb", "a\n\nb"),
        ("a\u2028b\u2029c\x85d", "a\u2028b\u2029c\x85d"),
        ("x" * 5000, "x" * 5000),
        (f"\n\n{'x' * 5000}  ", "x" * 5000),
        ("x" + "\r\n" * 2499 + "x" * 2500, "x" + "\n" * 2499 + "x" * 2500),
        ("👋🏽", "👋🏽"),
        ("❤\ufe0f", "❤\ufe0f"),
        # Of a later Unicode than Python's.
        ("\U0001fae8", "\U0001fae8"),
        ("مرحبا\u200f", "مرحبا\u200f"),
    ],
)
def test_content_is_trimmed_and_otherwise_kept(typed: str, kept: str) -> None:
    assert clean_content(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        *("", " \t\n\u2003", "x" * 5001, "a\x00b", "a\ud800", "\udfffb"),
        *("\u200b", "\u200d\ufe0f", "\n\u3164\n", "\u2800 \u2800", "\u0301", "\ufeff"),
        *("\u00ad", "\u034f", "\u115f\u1160", "\u061c", "\u2066\u2069", "\ufffe"),
        *("\U000e0067\U000e007f", "\ufff9\ufffb", "\U0001d159", "\x01", "\u2028"),
    ],
)
def test_content_that_cannot_be_kept_is_refused(typed: str) -> None:
    with pytest.raises(InvalidContentError) as refusal:
        clean_content(typed)
    assert refusal.value.field == "content"


def test_content_is_cleaned_once() -> None:
    cleaned = clean_content("\n hello ")
    assert clean_content(cleaned) is cleaned


@pytest.mark.parametrize("name", ["a", "Ann", "_", "a.b-c_d", "0", "x" * 64])
def test_a_username_keeps_its_case(name: str) -> None:
    assert clean_username(name) == name


@pytest.mark.parametrize(
    "name", ["", ".a", "a.", "-a", "a-", "a b", "ä", "a@b", "a\n", "x" * 65]
)
def test_a_name_of_another_form_is_no_username(name: str) -> None:
    with pytest.raises(InvalidUsernameError) as refusal:
        clean_username(name)
    assert refusal.value.field == "username"


def test_display_names_and_titles_are_trimmed() -> None:
    assert clean_display_name("  Ann Ä. ") == "Ann Ä."
    assert clean_title("  The team ") == "The team"


@pytest.mark.parametrize(
    ("clean", "error", "too_long"),
    [
        (clean_display_name, InvalidDisplayNameError, "x" * 101),
        (clean_title, InvalidTitleError, "x" * 201),
        (clean_service_name, InvalidServiceNameError, "x" * 101),
    ],
)
def test_a_line_has_no_control_characters_and_an_end(
    clean: Callable[[str], str], error: type[Exception], too_long: str
) -> None:
    assert clean(too_long[1:]) == too_long[1:]
    for typed in ("", "  ", too_long, "a\nb", "a\x00b", "a\ud800", "a\u2028b"):
        with pytest.raises(error):
            clean(typed)


@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069")
def test_a_name_cannot_rearrange_the_text_around_it(control: str) -> None:
    with pytest.raises(InvalidDisplayNameError):
        clean_display_name(f"Ann{control}bob")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("@Bob, @cleo. and @bob!", {"bob", "cleo"}),
        ("(@a.b-c)", {"a.b-c"}),
        ("ann@example.org @@bob", set()),
        ("@ bob", set()),
    ],
)
def test_a_mention_is_a_name_after_an_at(content: str, names: set[str]) -> None:
    assert mentioned_usernames(content) == names


@pytest.mark.parametrize(
    "invisible",
    [
        *("\u200b", "\ufeff\u200d", "\u00ad", "\u2060\u200c", "\u034f", "\ufe0f"),
        *("\u200e", "\u200f", "\u061c", "\u180e", "\u2061", "\ufe00", "\U000e0100"),
        # Letters and signs that are drawn as nothing, no characters.
        *("\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\ufffe", "\ufff9"),
        *("\U0001d159", "\U000e0067", "\U000e0001", "\u17b4", "\U0001d173"),
    ],
)
def test_a_name_is_what_is_seen_of_it(invisible: str) -> None:
    for clean, error in LINES:
        assert clean(f"Ann{invisible}Lee") == "AnnLee"
        assert clean(f"{invisible}Ann {invisible} Lee{invisible}") == "Ann Lee"
        with pytest.raises(error):
            clean(f"{invisible} {invisible}")


@pytest.mark.parametrize("invisible", ["\u0301" * 3, "\ue000", "\u00a0"])
def test_marks_on_nothing_and_private_characters_are_no_name(invisible: str) -> None:
    for clean, error in LINES:
        with pytest.raises(error):
            clean(invisible)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ann\u00a0\u2003Lee", "Ann Lee"),
        ("\u3000山田\u3000太郎\u3000", "山田 太郎"),
        ("Jose\u0301", "José"),
        ("\u1112\u1161\u11ab", "한"),
        # Joiners where they join or part, and nowhere else.
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("دا\u200cرا", "دارا"),
        ("क्\u200dष", "क्\u200dष"),
        ("क\u200dष", "कष"),
        ("न്\u200d", "न്\u200d"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("👩🏽\u200d❤\ufe0f\u200d👩", "👩🏽\u200d❤\ufe0f\u200d👩"),
        ("a\u200db", "ab"),
        ("😀\ufe0f", "😀"),
        ("❤\ufe0f\ufe0f", "❤\ufe0f"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("1\ufe0f", "1"),
        (
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        ),
        ("🏴\U000e0067\U000e0062", "🏴"),
        # What four marks on a letter are: Vietnamese, Hebrew, Tibetan, Burmese.
        ("Nguyễn", "Nguyễn"),
        ("שׁ\u05bc\u05b8", "שׁ\u05bc\u05b8"),
        ("བསྒྲུབས", "བསྒྲུབས"),
        ("မြွှေး", "မြွှေး"),
        ("\U0001fae8", "\U0001fae8"),
    ],
)
def test_a_name_has_one_form_for_each_look(typed: str, kept: str) -> None:
    for clean, _ in LINES:
        settled = clean(typed)
        assert settled == unicodedata.normalize("NFC", kept)
        assert clean(settled) == settled


@given(st.text(alphabet=ALPHABET, max_size=30))
def test_cleaning_a_clean_name_changes_nothing(typed: str) -> None:
    try:
        name = clean_display_name(typed)
    except InvalidDisplayNameError:
        return
    assert clean_display_name(name) == name
    assert fitting_line(name, 100) or not name.isprintable()


@given(st.text(alphabet=ALPHABET, max_size=30), st.integers(1, 30))
def test_what_fits_of_a_text_is_fit(typed: str, length: int) -> None:
    fitting = fitting_line(typed, length)
    assert len(fitting) <= length
    assert not fitting or clean_display_name(fitting) == fitting


@pytest.mark.parametrize("letter", ["a", "ا", "க"])
def test_a_name_does_not_cover_the_lines_around_it(letter: str) -> None:
    for clean, error in LINES:
        with pytest.raises(error):
            clean(letter + "\u0353\u0357" * 3)


@pytest.mark.parametrize("none", ["", " ", "\u200b", "\u00a0\ufeff"])
def test_a_token_needs_no_name(none: str) -> None:
    assert clean_token_name(none) == ""


def test_an_external_id_is_kept_to_the_letter_and_can_be_seen() -> None:
    assert clean_external_id(" a\u200b ") == " a\u200b "
    for nothing in ("", " ", "\u200b", "\u3164", "x" * 256, "a\x00"):
        with pytest.raises(InvalidExternalIdError):
            clean_external_id(nothing)


def test_names_may_join_what_they_show() -> None:
    assert (
        clean_display_name("\U0001f469\u200d\U0001f4bb") == "\U0001f469\u200d\U0001f4bb"
    )
