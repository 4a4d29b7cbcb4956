"""A context processor for all pages: what they show of the request and its user."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.db import Error
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.functional import SimpleLazyObject
from markupsafe import Markup

from chats.navigation import navigation_of, section_of
from edge.database_errors import database_is_away
from messaging.ids import UserId
from messaging.models import User
from messaging.services.inbox import PageHeader, page_header
from messaging.services.installation import server_name, shown_name

_HEADER: Final = "parley_header"
_CSRF_INPUT: Final = Markup(
    '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
)


def page_context(request: HttpRequest) -> Mapping[str, object]:
    """These names win over those of a view.

    The server's name and the unread count are lazy: a page that does not show them
    takes no query.
    """
    # An error page may come before the user is known.
    user: object = getattr(request, "user", AnonymousUser())
    csrf_token = SimpleLazyObject(lambda: get_token(request))
    return {
        "csrf_input": SimpleLazyObject(lambda: _CSRF_INPUT.format(csrf_token)),
        "csrf_token": csrf_token,
        "flashes": get_messages(request),
        "navigation": SimpleLazyObject(lambda: navigation_of(user)),
        "section": section_of(request.path),
        "server_name": SimpleLazyObject(lambda: _server_name(request)),
        "header": SimpleLazyObject(lambda: page_header_of(request)),
        "user": user,
    }


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
