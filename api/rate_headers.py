"""What is left of the limits that a request came under, in its response.

The fields are those of the IETF draft "RateLimit header fields for HTTP".
"""

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from messaging.rates import Reading

_KEY: Final = "parley.readings"


def note(request: HttpRequest, readings: Iterable[Reading]) -> None:
    """Keep readings for the response; a later one of the same limit is truer."""
    noted: dict[str, Reading] = request.META.setdefault(_KEY, {})
    noted.update({reading.limit: reading for reading in readings})


def describe(request: HttpRequest, response: HttpResponseBase) -> None:
    """Say in the response what was noted for the request, if anything."""
    noted: dict[str, Reading] = request.META.get(_KEY, {})
    if not noted:
        return
    response["RateLimit-Policy"] = ", ".join(
        f'"{reading.limit}";q={reading.rate.quota};w={reading.rate.seconds}'
        for reading in noted.values()
    )
    response["RateLimit"] = ", ".join(
        f'"{reading.limit}";r={reading.remaining};t={reading.resets_in}'
        for reading in noted.values()
    )
