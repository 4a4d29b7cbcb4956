"""A random id for each request, in its response, its problems and the log."""

import secrets
from typing import Final

from django.http import HttpRequest

_KEY: Final = "parley.request_id"


def request_id(request: HttpRequest) -> str:
    """The request's id, which the first call creates."""
    known: str | None = request.META.get(_KEY)
    if known is None:
        known = request.META[_KEY] = secrets.token_hex(16)
    return known
