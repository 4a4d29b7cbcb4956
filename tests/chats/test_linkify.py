"""What people typed is shown as they typed it, and runs nothing."""

import pytest

from chats.linkify import as_html
from messaging.ids import UserId


def test_text_is_escaped() -> None:
    assert as_html("<b>&\"'") == "&lt;b&gt;&amp;&quot;&#x27;"


@pytest.mark.parametrize(
    ("text", "address", "rest"),
    [
        ("http://a.example/x?y=1&z=2", "http://a.example/x?y=1&amp;z=2", ""),
        ("https://a.example/.", "https://a.example/", "."),
        ("https://a.example/b_(c))!", "https://a.example/b_(c)", ")!"),
        ("HTTPS://A.EXAMPLE,", "HTTPS://A.EXAMPLE", ","),
        ("https://a.example/é—ü", "https://a.example/é—ü", ""),
    ],
)
def test_an_address_becomes_a_link(text: str, address: str, rest: str) -> None:
    assert as_html(f"see {text}") == (
        f'see <a href="{address}" rel="nofollow noopener noreferrer">{address}</a>{rest}'
    )


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://",
        "www.a.example",
        "https://...",
    ],
)
def test_nothing_else_does(text: str) -> None:
    assert "<a" not in as_html(text)


def test_a_mention_of_a_participant_is_a_link_and_of_nobody_as_typed() -> None:
    shown = as_html("(@Ann) <@bob> https://a.example/@ann", {"ann": UserId(7)})
    assert shown == (
        '(<a class="mention" href="/people/@ann" data-mentions="7">@Ann</a>)'
        " &lt;@bob&gt; "
        '<a href="https://a.example/@ann" rel="nofollow noopener noreferrer">'
        "https://a.example/@ann</a>"
    )


def test_an_address_cannot_leave_its_attribute() -> None:
    shown = as_html("https://a.example/\"onmouseover=alert(1)'<script>")
    assert shown.count('"') == 4
    assert "<script" not in shown
