"""The navigation of all pages, and to which part of it a page belongs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from messaging.access import gives_rights, inviter, may_administer
from messaging.models import User


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation, with the same label at every width.

    It has the icon of its URL's name, and is marked as current on pages whose paths begin
    with one of `paths`.
    """

    url_name: str
    label: str
    paths: tuple[str, ...]
    counts_unread: bool = False


# In the order of display. On a phone there is room for five.
NAVIGATION: Final = (
    Entry("conversations", "Conversations", ("/conversations", "/messages")),
    Entry(
        *("catch_up", "Catch up"),
        ("/catch-up", "/inbox", "/notifications"),
        counts_unread=True,
    ),
    Entry("people", "People", ("/people",)),
    Entry("settings", "Settings", ("/settings", "/account", "/privacy")),
)


# For staff alone.
_ADMINISTRATION: Final = Entry("administration", "Administration", ("/administration",))


@dataclass(frozen=True, slots=True)
class AdministrationPage:
    """A page of the administration, at the head of all of them; most are for superusers."""

    url_name: str
    label: str
    path: str
    may_see: Callable[[User], bool] = gives_rights


def _may_view_accounts(user: User) -> bool:
    return gives_rights(user) or may_administer(user, "view")


def _may_invite(user: User) -> bool:
    return inviter(user) is not None


# In the order of display. A new page needs a line here, and the template
# `administration.html` as its base.
ADMINISTRATION_PAGES: Final = (
    AdministrationPage("administration", "Overview", "/administration"),
    AdministrationPage(
        "administered_people", "People", "/administration/people", _may_view_accounts
    ),
    AdministrationPage(
        "server_invitations", "Invitations", "/administration/invitations", _may_invite
    ),
    AdministrationPage("administered_settings", "Settings", "/administration/settings"),
)


def navigation_of(*, is_staff: bool) -> tuple[Entry, ...]:
    """The navigation of all pages."""
    return (*NAVIGATION, _ADMINISTRATION) if is_staff else NAVIGATION


def is_staff(user: object) -> bool:
    """Whether there is an administration for this user; to others it is not there."""
    return isinstance(user, User) and (user.is_staff or user.is_superuser)


def administration_pages(user: object) -> tuple[AdministrationPage, ...]:
    """The pages of the administration that this user may see."""
    if not isinstance(user, User):
        return ()
    return tuple(page for page in ADMINISTRATION_PAGES if page.may_see(user))


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
