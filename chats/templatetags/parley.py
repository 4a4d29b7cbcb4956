"""What templates of the pages need beyond Django's own."""

from datetime import UTC, datetime
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chats.typed_text import as_html
from messaging.models import User
from messaging.shown import ShownPerson

register = template.Library()

_HUES: Final = 6


@register.filter
def typed(text: str) -> SafeString:
    """What someone typed, safe to show."""
    return as_html(text)


@register.filter
def moment(when: datetime) -> SafeString:
    """A point in time, exact and in UTC; times.js makes it relative and local."""
    utc = when.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"{utc.day} {utc:%b %Y, %H:%M} UTC",
    )


@register.inclusion_tag("chats/avatar.html")
def avatar(name: str, person: int | None) -> dict[str, object]:
    """The first letter of a name, in one of six colours that the person keeps."""
    initial = next((letter for letter in name if letter.isalnum()), "?").upper()
    return {"initial": initial[:1], "hue": (person or 0) % _HUES}


@register.filter
def name_of(person: User | ShownPerson | None) -> str:
    return person.display_name if person is not None else "Someone who left"
