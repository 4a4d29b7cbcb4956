"""The user whom a request acts for: set by the code that authenticates, for the access log."""

from typing import Final

from django.http import HttpRequest

from messaging.ids import UserId
from messaging.models import User

_KEY: Final = "parley.caller_id"


def note_caller(request: HttpRequest, caller: UserId) -> None:
    request.META[_KEY] = caller


def caller_id(request: HttpRequest) -> UserId | None:
    """The user of a request, as far as it was authenticated; takes no query."""
    noted: UserId | None = request.META.get(_KEY)
    if noted is not None:
        return noted
    # Django's middleware keeps it here once a view has used `request.user`.
    user: object = getattr(request, "_cached_user", None)
    return UserId(user.pk) if isinstance(user, User) else None
