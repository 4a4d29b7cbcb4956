"""What people type, made fit to keep."""

from collections.abc import Callable

import pytest

from messaging.errors import (
    InvalidContentError,
    InvalidDisplayNameError,
    InvalidTitleError,
    InvalidUsernameError,
)
from messaging.text import (
    clean_content,
    clean_display_name,
    clean_title,
    clean_username,
    mentioned_usernames,
)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" hello\n", "hello"),
        ("two\nlines", "two\nlines"),
        ("x" * 5000, "x" * 5000),
        (f"  {'x' * 5000}  ", "x" * 5000),
        ("👋🏽", "👋🏽"),
    ],
)
def test_content_is_trimmed_and_otherwise_kept(typed: str, kept: str) -> None:
    assert clean_content(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", " \t\n\u2003", "x" * 5001, "a\x00b", "a\ud800", "\udfffb"]
)
def test_content_that_cannot_be_kept_is_refused(typed: str) -> None:
    with pytest.raises(InvalidContentError) as refusal:
        clean_content(typed)
    assert refusal.value.field == "content"


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
        *("\u200b", "\ufeff\u200d", "\u00ad", "\u2060 \u200c", "\u034f", "\ufe0f"),
        # Letters and signs that are drawn as nothing, marks on nothing, no characters.
        *("\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u0301" * 3),
        *("\ue000", "\ufffe"),
    ],
)
def test_names_and_titles_are_not_invisible(invisible: str) -> None:
    with pytest.raises(InvalidDisplayNameError):
        clean_display_name(invisible)
    with pytest.raises(InvalidTitleError):
        clean_title(invisible)
    assert clean_display_name(f"Ann{invisible}Lee") == f"Ann{invisible}Lee"


def test_names_may_join_what_they_show() -> None:
    assert (
        clean_display_name("\U0001f469\u200d\U0001f4bb") == "\U0001f469\u200d\U0001f4bb"
    )
