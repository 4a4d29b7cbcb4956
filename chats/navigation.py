"""The navigation of all pages, and to which part of it a page belongs."""

from dataclasses import dataclass
from typing import Final

from messaging.access import gives_rights, may_administer
from messaging.models import User


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


# For staff alone.
_ADMINISTRATION: Final = Entry(
    "administration", "Administration", "Admin", ("/administration",)
)


@dataclass(frozen=True, slots=True)
class AdministrationPage:
    """A page of the administration, at the head of all of them; most are for superusers."""

    url_name: str
    label: str
    path: str
    for_viewers: bool = False


# In the order of display. A new page needs a line here, and the template
# `administration.html` as its base.
ADMINISTRATION_PAGES: Final = (
    AdministrationPage("administration", "Overview", "/administration"),
    AdministrationPage(
        "administered_people", "People", "/administration/people", for_viewers=True
    ),
    AdministrationPage("administered_settings", "Settings", "/administration/settings"),
)


def navigation_of(user: object) -> tuple[Entry, ...]:
    """The navigation of all pages, as this user sees it."""
    return (*NAVIGATION, _ADMINISTRATION) if is_staff(user) else NAVIGATION


def is_staff(user: object) -> bool:
    """Whether there is an administration for this user; to others it is not there."""
    return isinstance(user, User) and (user.is_staff or user.is_superuser)


def administration_pages(user: object) -> tuple[AdministrationPage, ...]:
    """The pages of the administration that this user may see."""
    if not isinstance(user, User):
        return ()
    if gives_rights(user):
        return ADMINISTRATION_PAGES
    seen = may_administer(user, "view")
    return tuple(page for page in ADMINISTRATION_PAGES if seen and page.for_viewers)


def administration_page_of(path: str) -> str | None:
    """The page to whose part of the administration a path belongs."""
    found = [page for page in ADMINISTRATION_PAGES if path.startswith(page.path)]
    # The overview's path is the beginning of all.
    return max(found, key=lambda page: len(page.path)).url_name if found else None


def section_of(path: str) -> str | None:
    entries = (*NAVIGATION, _ADMINISTRATION)
    return next(
        (entry.url_name for entry in entries if path.startswith(entry.paths)), None
    )
