"""A context processor for all pages: what they show of the request and its user."""

from collections.abc import Mapping
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.functional import SimpleLazyObject
from markupsafe import Markup

from chats.navigation import NAVIGATION, section_of
from messaging.ids import UserId
from messaging.models import User
from messaging.services.inbox import InboxSummary, inbox_summary

_UNREAD: Final = "parley_unread"
_CSRF_INPUT: Final = Markup(
    '<input type="hidden" name="csrfmiddlewaretoken" value="{}">'
)


def page_context(request: HttpRequest) -> Mapping[str, object]:
    """These names win over those of a view.

    The unread count is lazy: a page that does not show it takes no query.
    """
    # An error page may come before the user is known.
    user: object = getattr(request, "user", AnonymousUser())
    csrf_token = SimpleLazyObject(lambda: get_token(request))
    return {
        "csrf_input": SimpleLazyObject(lambda: _CSRF_INPUT.format(csrf_token)),
        "csrf_token": csrf_token,
        "flashes": get_messages(request),
        "navigation": NAVIGATION,
        "section": section_of(request.path),
        "unread": SimpleLazyObject(lambda: unread_summary(request)),
        "user": user,
    }


def unread_summary(request: HttpRequest) -> InboxSummary | None:
    """What is unread of the request's user, counted once for the whole page."""
    kept = vars(request)
    if _UNREAD not in kept:
        user: object = getattr(request, "user", None)
        kept[_UNREAD] = (
            inbox_summary(reader=UserId(user.pk)) if isinstance(user, User) else None
        )
    summary: InboxSummary | None = kept[_UNREAD]
    return summary
