"""What in a message is an address, and whom it mentions."""

import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging import links_and_mentions as parser
from messaging.links_and_mentions import (
    MOST_LINKS,
    MOST_MENTIONS,
    Span,
    SpanKind,
    spans,
)
from tests.messaging.link_and_mention_tables import CLOSE, LINKS, MENTIONS, OPEN

_MARKED: Final = re.compile(rf"{OPEN}([^{CLOSE}]*){CLOSE}")

# Pieces that addresses, mentions and what confuses them are made of.
_PIECES: Final = st.sampled_from(
    [
        *(
            "https://",
            "HTTP://",
            "@",
            "＠",
            "bob",
            "example.com",
            ".",
            ":",
            "/",
            "8000",
        ),
        *(
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            "'",
            '"',
            "“",
            "”",
            "，",
            "。",
            "你好",
            "é",
            "и",
        ),
        *("\u202e", "\u200b", "\u200d", "\u200c", "\ufe0f", "\u0301", "👩", "&gt", ";"),
        *(
            "::1",
            "?",
            "#",
            "%",
            "\\",
            "_",
            "-",
            " ",
            "\n",
            "&",
            "…",
            "*",
            "ﬁ",
            "\u3164",
        ),
    ]
)
_TYPED: Final = st.one_of(st.text(), st.lists(_PIECES, max_size=40).map("".join))


def _expected(row: str) -> list[str]:
    return [found[1] for found in _MARKED.finditer(row)]


def _plain(row: str) -> str:
    return row.replace(OPEN, "").replace(CLOSE, "")


def _marked(text: str) -> str:
    """The text with what was found in it between the marks of the tables."""
    return "".join(
        span.text if span.kind is SpanKind.TEXT else f"{OPEN}{span.text}{CLOSE}"
        for span in spans(text)
    )


def _named(row: tuple[str, str]) -> str:
    return row[1]


@pytest.mark.parametrize("row", LINKS, ids=_named)
def test_an_address_is_whole_and_nothing_else_is_one(row: tuple[str, str]) -> None:
    assert _marked(_plain(row[0])) == row[0]


@pytest.mark.parametrize("row", MENTIONS, ids=_named)
def test_a_mention_is_a_whole_name(row: tuple[str, str]) -> None:
    assert _marked(_plain(row[0])) == row[0]


@pytest.mark.parametrize("row", [*LINKS, *MENTIONS], ids=_named)
def test_it_is_the_same_within_a_sentence(row: tuple[str, str]) -> None:
    assert _marked(f"see {_plain(row[0])} there") == f"see {row[0]} there"


def test_the_tables_are_long_enough() -> None:
    assert len(LINKS) >= 100
    assert len(MENTIONS) >= 80


def test_a_text_without_either_is_one_piece() -> None:
    assert spans("hello") == [Span(SpanKind.TEXT, "hello")]
    assert spans("") == []


@given(_TYPED)
@example("https://a.example/'x'@bob你好")
def test_pieces_are_in_order_and_make_up_the_text(text: str) -> None:
    found = spans(text)
    assert "".join(span.text for span in found) == text
    assert all(span.text for span in found)
    for span in found:
        match span.kind:
            case SpanKind.LINK:
                assert span.text.lower().startswith(("http://", "https://"))
                assert not re.search(
                    r"[\s<>\"`\\\u202a-\u202e\u2066-\u2069]", span.text
                )
            case SpanKind.MENTION:
                assert re.fullmatch(r"[@＠][A-Za-z0-9_.\-]{1,64}", span.text)
            case SpanKind.TEXT:
                pass


@given(_TYPED)
def test_what_follows_a_blank_changes_no_address_before_it(text: str) -> None:
    assert spans(f"{text} ")[:-1] == spans(f"{text} x")[:-1]


@pytest.mark.parametrize("row", [*LINKS, *MENTIONS], ids=_named)
def test_without_mentions_the_addresses_are_the_same(row: tuple[str, str]) -> None:
    assert _addresses(_plain(row[0])) == _addresses(_plain(row[0]), mentions=False)


@given(_TYPED)
@example("@https://a.example")
@example("@ann.https://a.example")
@example("ann@https://a.example")
def test_so_they_are_in_any_text(text: str) -> None:
    assert _addresses(text) == _addresses(text, mentions=False)


def _addresses(text: str, *, mentions: bool = True) -> list[str]:
    found = spans(text, mentions=mentions)
    assert "".join(span.text for span in found) == text
    return [span.text for span in found if span.kind is SpanKind.LINK]


def test_addresses_beyond_a_bound_are_text() -> None:
    [*found, last] = spans("https://a.example " * (MOST_LINKS + 50))
    assert len(found) == 2 * MOST_LINKS - 1
    assert last.kind is SpanKind.TEXT
    assert last.text.count("https://a.example") == 50


def test_whom_a_message_of_many_addresses_mentions_is_found() -> None:
    text = "https://a.example " * (MOST_LINKS + 50) + "@ann"
    assert spans(text)[-1] == Span(SpanKind.MENTION, "@ann")


def test_mentions_beyond_a_bound_are_text() -> None:
    found = spans("@ann " * (MOST_MENTIONS + 50))
    mentions = [span for span in found if span.kind is SpanKind.MENTION]
    assert len(mentions) == MOST_MENTIONS
    assert found[-1].text.count("@ann") == 50


def test_what_is_no_address_counts_as_well() -> None:
    text = "https://@ " * MOST_LINKS + "https://a.example"
    assert [span.kind for span in spans(text)] == [SpanKind.TEXT]


# Each made for a parser that goes over it again and again.
HOSTILE: Final[tuple[Callable[[int], str], ...]] = (
    lambda n: "https://" + "}" * n,
    lambda n: "https://a.example/" + "}" * n,
    lambda n: "https://a.example/" + "(" * n,
    lambda n: "https://a.example/" + "()" * n,
    lambda n: "https://a.example/" + "." * n,
    lambda n: "https://a.example/" + "·a" * n,
    lambda n: "https://a.example/" + "&gt;" * n,
    lambda n: "https://a.example/x&" + "gt" * n + ";",
    lambda n: "https://" + "a." * n,
    lambda n: "https://" + "é" * n,
    lambda n: "https://" + "é." * n + "@",
    lambda n: "https://" * n,
    lambda n: "http" * n + "://",
    lambda n: "https://ahttp" * n,
    lambda n: "https://a:1@" * n,
    lambda n: "https://[" * n,
    lambda n: "@" * n,
    lambda n: "@a/" * n,
    lambda n: "@" + "a" * n,
    lambda n: "@" + ".a" * n,
    lambda n: "\u200b" * n + "@a",
    lambda n: "a" + "\u0301@" * n,
    lambda n: ("\u0301" * 50 + "@") * n,
)


def _work(text: str) -> int:
    """How many lines of the parser run for a text."""
    lines = 0

    def count(frame: FrameType, event: str, _: object) -> object:
        nonlocal lines
        if frame.f_code.co_filename != parser.__file__:
            return None
        lines += event == "line"
        return count

    before = sys.gettrace()
    sys.settrace(count)  # type: ignore[arg-type]  # the stub wants a tracer of its own
    try:
        spans(text)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("text", HOSTILE)
def test_four_times_the_text_is_four_times_the_work(text: Callable[[int], str]) -> None:
    assert _work(text(400)) <= 4.2 * _work(text(100))
