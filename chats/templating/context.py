"""A context processor for all pages: what they show of the request and its user."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.db import Error
from django.http import HttpRequest
from django.middleware.csrf import get_token
from markupsafe import escape
from typing_extensions import override

from chats.navigation import is_staff, section_of
from edge.database_errors import database_is_away
from messaging.ids import UserId
from messaging.models import User
from messaging.services.inbox import PageHeader, page_header
from messaging.services.installation import server_name, shown_name

_HEADER: Final = "parley_header"
_CSRF_FIELD: Final = '<input type="hidden" name="csrfmiddlewaretoken" value="'


def page_context(request: HttpRequest) -> Mapping[str, object]:
    """These names win over those of a view.

    The server's name and the unread count are lazy: a page that does not show them
    takes no query.
    """
    # An error page may come before the user is known.
    user: object = getattr(request, "user", AnonymousUser())
    token = LazyHtml(lambda: get_token(request))
    return {
        "csrf_input": LazyHtml(lambda: f'{_CSRF_FIELD}{token}">'),
        "csrf_token": token,
        "flashes": get_messages(request),
        "section": section_of(request.path),
        "server_name": LazyHtml(lambda: str(escape(_server_name(request)))),
        "header": _LazyHeader(request),
        "is_staff": is_staff(user),
        "user": user,
    }


class LazyHtml:
    """HTML that is made when it is shown first, once.

    `SimpleLazyObject` looks up each attribute of each use in two functions of Python.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make
        self._made: str | None = None

    @override
    def __str__(self) -> str:
        if self._made is None:
            self._made = self._make()
        return self._made

    __html__ = __str__


class _LazyHeader:
    """What is counted at the head of a page, read when any of it is shown first."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getattr__(self, name: str) -> object:
        """Called for an attribute that is not there yet: of the header, or of nothing."""
        read = page_header_of(self._request)
        for each in fields(PageHeader):
            setattr(self, each.name, getattr(read, each.name))
        return object.__getattribute__(self, name)


def _server_name(request: HttpRequest) -> str:
    header = page_header_of(request)
    if header is not None:
        return header.server_name
    try:
        return server_name()
    except Error as error:
        # The page to sign in is shown without the database, too.
        if database_is_away(error):
            return shown_name("")
        raise


def page_header_of(request: HttpRequest) -> PageHeader | None:
    """What is unread of the request's user, counted once for the whole page.

    None for who is not signed in.
    """
    kept = vars(request)
    if _HEADER not in kept:
        user: object = getattr(request, "user", None)
        kept[_HEADER] = (
            page_header(reader=UserId(user.pk)) if isinstance(user, User) else None
        )
    header: PageHeader | None = kept[_HEADER]
    return header
