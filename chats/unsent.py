"""Unsent forms: the text that a user typed into a form that was refused, to show it again."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError

# Fields of our forms into which users type text, with their labels.
_TEXTS: Final = MappingProxyType(
    {
        "content": "Your message",
        "title": "Title",
        "participants": "Usernames",
        "participant": "Username",
        "username": "Username",
        "display_name": "Your name",
        "name": "Name",
        "server_name": "Name of this place",
    }
)
# Hidden fields of our forms, which are sent again with the text.
_HIDDEN: Final = ("form", "parent", "version", "kind")
# Secrets are not shown again. A form with a secret cannot be sent again without it.
_SECRETS: Final = frozenset(
    {"password", "current", "new_password", "invite_code", "code"}
)


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    label: str
    text: str

    @property
    def is_long(self) -> bool:
        return self.name == "content"


@dataclass(frozen=True, slots=True)
class UnsentForm:
    """The typed text of a form, and what is needed to send it again."""

    fields: tuple[Field, ...]
    hidden: tuple[Field, ...]
    # The form's target; empty if it cannot be sent again.
    path: str


def unsent_form(request: HttpRequest, *, again: bool) -> UnsentForm | None:
    """The content of a refused form; None if it had no text, or came from another site.

    With `again`, the form can be sent again from the page that shows it, unless it held
    a secret.
    """
    posted = _posted(request)
    fields = tuple(
        Field(name, label, posted[name])
        for name, label in _TEXTS.items()
        if posted.get(name)
    )
    if not fields or _is_cross_site(request):
        return None
    hidden = tuple(
        Field(name, "", posted[name]) for name in _HIDDEN if posted.get(name)
    )
    again = again and _SECRETS.isdisjoint(posted)
    return UnsentForm(fields, hidden, request.path if again else "")


def _posted(request: HttpRequest) -> dict[str, str]:
    if request.method != "POST":
        return {}
    try:
        return {name: str(request.POST[name]) for name in request.POST}
    except (SuspiciousOperation, UnreadablePostError):
        # The body was too large, or incomplete.
        return {}


def _is_cross_site(request: HttpRequest) -> bool:
    """Whether the browser says that the form was on another site's page."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {
        "same-origin",
        "none",
    }:
        return True
    # Older browsers send no Sec-Fetch-Site.
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.get_host()
    except (SuspiciousOperation, ValueError):
        return True
