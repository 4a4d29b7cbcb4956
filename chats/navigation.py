"""The navigation of all pages, and to which part of it a page belongs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation; `short` is its label on phones.

    It has the icon of its URL's name, and is marked as current on pages whose paths begin
    with one of `paths`.
    """

    url_name: str
    label: str
    short: str
    paths: tuple[str, ...]
    counts_unread: bool = False


# In the order of display. On a phone there is room for five.
NAVIGATION: Final = (
    Entry("conversations", "Conversations", "Chats", ("/conversations", "/messages")),
    Entry(
        *("catch_up", "Catch up", "Catch up"),
        ("/catch-up", "/inbox", "/notifications"),
        counts_unread=True,
    ),
    Entry("people", "People", "People", ("/people",)),
    Entry(
        "settings",
        "Settings",
        "Settings",
        ("/settings", "/account", "/administration", "/privacy"),
    ),
)


def section_of(path: str) -> str | None:
    return next(
        (entry.url_name for entry in NAVIGATION if path.startswith(entry.paths)), None
    )
