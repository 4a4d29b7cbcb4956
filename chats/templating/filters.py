"""What templates show values with. Only what `Markup` escapes, or made itself, is HTML."""

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from markupsafe import Markup

from chats.linkify import NOBODY, as_html
from messaging.ids import UserId
from messaging.models import User
from messaging.projections import UserProjection

_HUES: Final = 12
_EXCERPT: Final = 280

# `format` escapes what is put in.
_TIME: Final = Markup('<time datetime="{}">{}</time>')
_AVATAR: Final = Markup('<span class="avatar hue-{}" aria-hidden="true">{}</span>')
_FACE: Final = Markup('<span class="avatar face hue-{}" aria-hidden="true">{}</span>')
_NAME: Final = Markup('<bdi title="@{}">{}</bdi>')
_NAMESAKE: Final = Markup('<bdi>{}</bdi> <span class="username">@{}</span>')
_NOBODY: Final = Markup("<bdi>{}</bdi>")


def typed(text: str, mentioned: Mapping[str, UserId] = NOBODY) -> Markup:
    """A user's text as safe HTML, with links, also of those who are mentioned."""
    return Markup(as_html(text, mentioned))  # noqa: S704  # it escapes


def excerpt(text: str) -> str:
    """The beginning of a text, longer than a line: the style cuts it where it ends."""
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


def moment(when: datetime) -> Markup:
    """A time in UTC as HTML; relative_times.js makes it relative and local."""
    utc = when.astimezone(UTC)
    return _TIME.format(
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{utc.day} {utc:%b %Y, %H:%M} UTC"
    )


def clock(when: datetime) -> Markup:
    """The hour of a time, below a line that names its day; relative_times.js makes it local."""
    utc = when.astimezone(UTC)
    return _TIME.format(utc.strftime("%Y-%m-%dT%H:%M:%SZ"), f"{utc:%H:%M}")


def avatar(name: str, number: int) -> Markup:
    """Two letters of a group's title, in one of twelve colours, always the same for a number."""
    return _AVATAR.format(number % _HUES, _initials(name))


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
        return _FACE.format(0, _initials(""))
    return _FACE.format(person.pk % _HUES, _initials(person.display_name))


def named(
    person: User | UserProjection | None, namesakes: frozenset[int] | None = None
) -> Markup:
    """A user's display name, with the username if another user has the same name."""
    if person is None:
        return _NOBODY.format(name_of(person))
    if namesakes and person.pk in namesakes:
        return _NAMESAKE.format(person.display_name, person.username)
    return _NAME.format(person.username, person.display_name)


def name_of(person: User | UserProjection | None) -> str:
    return person.display_name if person is not None else "Someone who left"


def name_and_username(person: User | UserProjection | None) -> str:
    return name_of(person) + (f", @{person.username}" if person is not None else "")


def counted(number: int, one: str, many: str) -> str:
    """`3|counted("reply", "replies")` is "3 replies"."""
    return f"{number} {one if number == 1 else many}"


def day(date: date) -> str:
    return f"{date:%A}, {date.day} {date:%B %Y}"


def now_ms() -> int:
    """Milliseconds since 1970, by the server's clock."""
    return int(time.time()) * 1000
