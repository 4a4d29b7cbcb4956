"""Template tags and filters of the pages."""

from datetime import UTC, datetime
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chats.linkify import as_html
from messaging.models import User
from messaging.projections import UserProjection

register = template.Library()

_HUES: Final = 6


@register.filter
def typed(text: str) -> SafeString:
    """A user's text as safe HTML, with links."""
    return as_html(text)


@register.filter
def moment(when: datetime) -> SafeString:
    """A time in UTC as HTML; relative_times.js makes it relative and local."""
    utc = when.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc.day} {utc:%b %Y, %H:%M} UTC",
    )


@register.inclusion_tag("chats/avatar.html")
def avatar(name: str, person: int | None) -> dict[str, object]:
    """The first letter of a name, in one of six colours, always the same for a user."""
    initial = next((letter for letter in name if letter.isalnum()), "?").upper()
    return {"initial": initial[:1], "hue": (person or 0) % _HUES}


@register.filter
def named(person: User | UserProjection | None, namesakes: object = None) -> SafeString:
    """A user's display name, with the username if another user has the same name."""
    if person is None:
        return format_html("<bdi>{}</bdi>", name_of(person))
    name, username = person.display_name, person.username
    if isinstance(namesakes, frozenset) and person.pk in namesakes:
        return format_html(
            '<bdi>{}</bdi> <span class="username">@{}</span>', name, username
        )
    return format_html('<bdi title="@{}">{}</bdi>', username, name)


@register.filter
def name_of(person: User | UserProjection | None) -> str:
    return person.display_name if person is not None else "Someone who left"
