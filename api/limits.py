"""Rate limits of the API: the requests that are counted, and the user or address they
count for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.authentication import authenticate
from api.errors import ANSWERED, answer
from api.ninja_internals import Run
from api.rate_headers import describe, note
from edge.addresses import client_address
from messaging.services import limits

Counted = Literal["reads", "writes"]


def limited(counted: Counted | None) -> Callable[[Run], Run]:
    """Decorator: count requests of a user, and send the RateLimit headers.

    `counted` is None for operations that count by themselves, or not at all. It has to
    be the outermost decorator, so that a request is counted before it costs anything.
    """

    def decorate(run: Run) -> Run:
        def wrapped(request: HttpRequest, **path: str) -> HttpResponseBase:
            response = _refused(request, counted) or run(request, **path)
            describe(request, response)
            return response

        return wrapped

    return decorate


@contextmanager
def password_attempt(request: HttpRequest, *, username: str) -> Iterator[None]:
    """Count a password attempt of the `with` body: see `limits.counted_password_attempt`."""
    address = client_address(request)
    with limits.counted_password_attempt(username=username, address=address) as attempt:
        # Noted before the attempt, since a wrong password raises.
        note(request, attempt.if_wrong)
        yield
    note(request, attempt.if_right)


def count_registration(request: HttpRequest) -> None:
    """Count an attempt to register: see `limits.count_registration`."""
    note(request, limits.count_registration(address=client_address(request)))


def _refused(request: HttpRequest, counted: Counted | None) -> HttpResponseBase | None:
    if counted is None:
        return None
    try:
        user_id = authenticate(request).id
        note(request, limits.count_request(user_id=user_id, writes=counted == "writes"))
    except ANSWERED as error:
        return answer(request, error)
    return None
