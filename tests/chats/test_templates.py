"""What templates are given: everything is escaped, every name must be known, paths are those
of Django.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.template import engines
from django.template.backends.jinja2 import Jinja2
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import reverse
from jinja2 import Environment, UndefinedError
from markupsafe import Markup

from chats.templating import filters
from chats.templating.message_actions import message_actions
from chats.templating.paths import path
from messaging.ids import ConversationId, MessageId, UserId
from messaging.projections import MessageProjection, UserProjection
from tests.chats.routes import ROUTES, Route

CHATS: Final[Path] = settings.BASE_DIR / "chats"
TEMPLATES: Final = CHATS / "templates"
ADA: Final = UserProjection(UserId(7), "ada", "Ada <b>")

# What makes HTML of text unescaped, and where that is done with care.
UNESCAPED: Final = re.compile(
    r"\|\s*safe\b|autoescape|\bMarkup\(|\bmark_safe\b|\bSafeString\(|\b__html__\b"
)
MAY_NOT_ESCAPE: Final = frozenset(
    {
        "linkify.py",
        "templating/context.py",
        "templating/conversation_rows.py",
        "templating/environment.py",
        "templating/filters.py",
        "templating/message_actions.py",
        "templating/qr_codes.py",
    }
)


@pytest.fixture
def environment() -> Environment:
    engine = engines["jinja2"]
    assert isinstance(engine, Jinja2)
    found: Environment = engine.env
    return found


def sources() -> Iterator[Path]:
    yield from CHATS.rglob("*.py")
    yield from TEMPLATES.rglob("*.html")


def test_nothing_else_passes_unescaped() -> None:
    found = {
        str(source.relative_to(CHATS))
        for source in sources()
        if UNESCAPED.search(source.read_text())
    }
    assert found == MAY_NOT_ESCAPE


def test_text_is_escaped(environment: Environment) -> None:
    shown = environment.from_string("{{ text }}").render(text="<b>&\"'")
    assert shown == "&lt;b&gt;&amp;&#34;&#39;"


def test_a_name_that_no_view_gave_is_an_error(environment: Environment) -> None:
    with pytest.raises(UndefinedError):
        environment.from_string("{% if misspelt %}{% endif %}").render()


@pytest.mark.parametrize(
    "name", [str(each.relative_to(TEMPLATES)) for each in TEMPLATES.rglob("*.html")]
)
def test_every_template_compiles(environment: Environment, name: str) -> None:
    assert environment.get_template(name).name == name


@pytest.mark.parametrize(
    "route",
    # An address without a name has a dot.
    [each for each in ROUTES if "<name:" not in each.pattern and "." not in each.name],
    ids=str,
)
def test_a_path_of_numbers_is_that_of_django(route: Route) -> None:
    for first in (1, 9_000_000_000_000_000_000):
        numbers = [first + place for place in range(len(route.parameters))]
        assert path(route.name, *numbers) == reverse(route.name, args=numbers)


def test_a_path_of_text_is_that_of_django() -> None:
    assert path("block", "ada") == "/people/ada/block"
    assert path("hand_over", 3, "ada") == "/conversations/3/people/ada/own"


@pytest.mark.parametrize("name", ["400.html", "404.html", "500.html"])
def test_what_django_renders_needs_nothing(name: str, rf: RequestFactory) -> None:
    assert "To your conversations" in render_to_string(name, request=rf.get("/"))
    if name != "404.html":
        assert "To your conversations" in render_to_string(name)


def test_values_are_escaped() -> None:
    assert filters.named(ADA) == '<bdi title="@ada">Ada &lt;b&gt;</bdi>'
    assert filters.named(None) == "<bdi>Someone who left</bdi>"
    assert filters.avatar("<", 7) == (
        '<span class="avatar hue-7" aria-hidden="true">?</span>'
    )
    assert isinstance(filters.typed("<b>"), Markup)
    assert filters.typed("<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maya Lindqvist", "ML"),
        ("maya", "Ma"),
        ("Ana Maria de la Cruz", "AC"),
        ("M", "M"),
        ("«Saturday» (supper)", "SS"),
        ("Ölaf ß", "ÖS"),
        ("上海", "上海"),
        ("♥ ♥", "?"),
    ],
)
def test_an_avatar_has_two_letters(name: str, letters: str) -> None:
    assert f">{letters}</span>" in filters.avatar(name, 1)


def test_people_who_signed_up_one_after_another_differ_in_colour() -> None:
    assert len({filters.avatar("Ada", number) for number in range(12)}) == 12


def test_a_namesake_is_shown_with_the_username() -> None:
    assert filters.named(ADA, frozenset({7})) == (
        '<bdi>Ada &lt;b&gt;</bdi> <span class="username">@ada</span>'
    )
    assert filters.named(ADA, frozenset({8})) == filters.named(ADA)


def test_a_time_below_the_line_of_its_day_is_an_hour() -> None:
    assert filters.clock(datetime(2026, 3, 1, 9, 5, tzinfo=UTC)) == (
        '<time datetime="2026-03-01T09:05:00Z">09:05</time>'
    )


def test_times_and_numbers_are_written_out() -> None:
    when = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    assert filters.moment(when) == (
        '<time datetime="2026-03-01T09:05:00Z">1 Mar 2026, 09:05 UTC</time>'
    )
    assert filters.day(date(2026, 3, 1)) == "Sunday, 1 March 2026"
    assert filters.counted(1, "reply", "replies") == "1 reply"
    assert filters.counted(0, "reply", "replies") == "0 replies"


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize("parent", [None, 12])
@pytest.mark.parametrize("thread", [None, 3])
def test_the_actions_of_a_message_are_those_of_its_numbers(
    environment: Environment,
    thread: int | None,
    parent: int | None,
    edited: bool,
    read: bool,
) -> None:
    message = MessageProjection(
        id=MessageId(345),
        conversation_id=ConversationId(67),
        sequence=8,
        sender=ADA,
        receiver=None,
        content="100 % of %(id)d",
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        read=read,
        edited=edited,
        version=1,
        parent_message_id=None if parent is None else MessageId(parent),
        reply_count=0,
    )
    root = None if thread is None else MessageId(thread)
    rendered = environment.get_template("chats/message_actions.html").render(
        id=345,
        conversation_id=67,
        thread_id=thread,
        parent_id=parent if thread else None,
        edited=edited,
        read=read,
    )
    made = message_actions(environment)
    assert made(message, root) == rendered.strip()
    other = replace(message, id=MessageId(346))
    assert made(other, root) == rendered.strip().replace("345", "346")
