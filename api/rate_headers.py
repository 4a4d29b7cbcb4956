"""Response headers with the remaining quota of each limit that the request counted for.

The fields are those of the IETF draft "RateLimit header fields for HTTP".
"""

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from messaging.rates import LimitStatus

_KEY: Final = "parley.limit_statuses"


def note(request: HttpRequest, statuses: Iterable[LimitStatus]) -> None:
    """Keep limit statuses for the response; a later status of a limit replaces an earlier one."""
    noted: dict[str, LimitStatus] = request.META.setdefault(_KEY, {})
    noted.update({status.limit: status for status in statuses})


def describe(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add the headers for the statuses that were noted for the request."""
    noted: dict[str, LimitStatus] = request.META.get(_KEY, {})
    if not noted:
        return
    response["RateLimit-Policy"] = ", ".join(
        f'"{status.limit}";q={status.rate.quota};w={status.rate.seconds}'
        for status in noted.values()
    )
    response["RateLimit"] = ", ".join(
        f'"{status.limit}";r={status.remaining};t={status.resets_in}'
        for status in noted.values()
    )
