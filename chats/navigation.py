"""What stands around every page: where one can go, and how much is unread."""

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
    """`paths` are the beginnings of the paths that belong to it.

    `short` is its label along the bottom of a phone.
    """

    url_name: str
    label: str
    short: str
    paths: tuple[str, ...]
    counts_unread: bool = False

    @property
    def icon(self) -> str:
        return f"chats/icons/{self.url_name}.svg"


# In the order they are shown; on a phone along the bottom, five at most.
NAVIGATION: Final = (
    Entry("conversations", "Conversations", "Chats", ("/conversations", "/messages")),
    Entry("inbox", "Inbox", "Inbox", ("/inbox",), counts_unread=True),
    Entry("notifications", "Notifications", "Alerts", ("/notifications",)),
    Entry("people", "People", "People", ("/people",)),
    Entry("settings", "Settings", "Settings", ("/settings", "/account")),
)


def around(request: HttpRequest) -> Mapping[str, object]:
    """A context processor; what is not shown is not counted."""
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
