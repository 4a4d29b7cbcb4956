"""A context processor for all pages: the navigation and the unread count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from messaging.ids import UserId
from messaging.models import User
from messaging.services.inbox import InboxSummary, inbox_summary


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation; `short` is its label on phones.

    It is marked as current on pages whose paths begin with one of `paths`.
    """

    url_name: str
    label: str
    short: str
    paths: tuple[str, ...]
    counts_unread: bool = False

    @property
    def icon(self) -> str:
        return f"chats/icons/{self.url_name}.svg"


# In the order of display. On a phone there is room for five.
NAVIGATION: Final = (
    Entry("conversations", "Conversations", "Chats", ("/conversations", "/messages")),
    Entry("inbox", "Inbox", "Inbox", ("/inbox",), counts_unread=True),
    Entry("notifications", "Notifications", "Alerts", ("/notifications",)),
    Entry("people", "People", "People", ("/people",)),
    Entry("settings", "Settings", "Settings", ("/settings", "/account")),
)


def navigation_context(request: HttpRequest) -> Mapping[str, object]:
    """A context processor. The unread count is lazy: pages that do not show it take no query."""
    user: object = getattr(request, "user", None)
    return {
        "navigation": NAVIGATION,
        "section": _section(request.path),
        "unread": SimpleLazyObject(lambda: _unread(user)),
    }


def _section(path: str) -> str | None:
    return next(
        (entry.url_name for entry in NAVIGATION if path.startswith(entry.paths)), None
    )


def _unread(user: object) -> InboxSummary | None:
    if not isinstance(user, User):
        return None
    return inbox_summary(reader=UserId(user.pk))
