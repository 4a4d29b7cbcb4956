"""What templates show values with. Only what `Markup` escapes, or made itself, is HTML."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from markupsafe import Markup, escape

from chats.linkify import NOBODY, as_html
from messaging.ids import UserId
from messaging.models import User
from messaging.projections import UserProjection

_HUES: Final = 12
_EXCERPT: Final = 280
# As in pages.js; `page_header` counts no further.
_MOST_IN_BADGE: Final = 999


def typed(text: str, mentioned: Mapping[str, UserId] = NOBODY) -> Markup:
    """A user's text as safe HTML, with links, also of those who are mentioned."""
    return Markup(as_html(text, mentioned))  # noqa: S704  # it escapes


def excerpt(text: str) -> str:
    """The beginning of a text, longer than a line: the style cuts it where it ends."""
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


def moment(when: datetime) -> Markup:
    """A time in UTC as HTML; relative_times.js makes it relative and local."""
    utc = when.astimezone(UTC)
    return _time(utc, f"{utc.day} {utc:%b %Y, %H:%M} UTC")


def clock(when: datetime) -> Markup:
    """The hour of a time, below a line that names its day; relative_times.js makes it local."""
    utc = when.astimezone(UTC)
    return _time(utc, f"{utc:%H:%M}")


def _time(utc: datetime, shown: str) -> Markup:
    return _html(f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}">{shown}</time>')


def avatar(name: str, number: int) -> Markup:
    """Two letters of a group's title, in one of twelve colours, always the same for a number."""
    return _avatar("avatar", number, name)


def _avatar(classes: str, number: int, name: str) -> Markup:
    return _html(
        f'<span class="{classes} hue-{number % _HUES}" aria-hidden="true">'
        f"{escape(_initials(name))}</span>"
    )


def _initials(name: str) -> str:
    """The first letters of the first and the last word; of a single word, its first two."""
    words = ["".join(filter(str.isalnum, word)) for word in name.split()]
    first, *_, last = [word for word in words if word] * 2 or ["?", "?"]
    if first == last:
        return f"{first[0].upper()[:1]}{first[1:2].lower()[:1]}"
    # In some scripts a letter becomes two in upper case.
    return f"{first[0].upper()[:1]}{last[0].upper()[:1]}"


def avatar_of(person: User | UserProjection | None) -> Markup:
    """The same for a person, who is round."""
    if person is None:
        return _avatar("avatar face", 0, "")
    return _avatar("avatar face", person.pk, person.display_name)


def named(
    person: User | UserProjection | None, namesakes: frozenset[int] | None = None
) -> Markup:
    """A user's display name, with the username if another user has the same name."""
    name = f"{escape(name_of(person))}"
    if person is None:
        return _html(f"<bdi>{name}</bdi>")
    username = f"@{escape(person.username)}"
    if namesakes and person.pk in namesakes:
        return _html(f'<bdi>{name}</bdi> <span class="username">{username}</span>')
    return _html(f'<bdi title="{username}">{name}</bdi>')


def name_of(person: User | UserProjection | None) -> str:
    return person.display_name if person is not None else "Someone who left"


def name_and_username(person: User | UserProjection | None) -> str:
    return name_of(person) + (f", @{person.username}" if person is not None else "")


def counted(number: int, one: str, many: str) -> str:
    """`3|counted("reply", "replies")` is "3 replies"."""
    return f"{number} {one if number == 1 else many}"


def badge(number: int) -> str:
    """What a badge has room for."""
    return str(number) if number <= _MOST_IN_BADGE else f"{_MOST_IN_BADGE}+"


def day(date: date) -> str:
    return f"{date:%A}, {date.day} {date:%B %Y}"


def _html(made: str) -> Markup:
    """What stands here and was escaped. `Markup.format` is ten times as slow."""
    return Markup(made)  # noqa: S704


def now_ms() -> int:
    """Milliseconds since 1970, by the server's clock."""
    return int(time.time()) * 1000
