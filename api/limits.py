"""Rate limits at the HTTP edge: what is counted, and for whom."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from api.authentication import authenticate
from api.errors import ANSWERED, answer
from api.rate_headers import describe, note
from chats.addresses import client_address
from messaging.services import limits

Counted = Literal["reads", "writes"]


class Run(Protocol):
    def __call__(self, request: HttpRequest, **path: str) -> HttpResponseBase: ...


def limited(counted: Counted | None) -> Callable[[Run], Run]:
    """Count requests for the person who sends them, and say what is left of a limit.

    None for operations that count by themselves, if at all. Outermost: whatever a
    request will cost, it is counted before.
    """

    def decorate(run: Run) -> Run:
        def running(request: HttpRequest, **path: str) -> HttpResponseBase:
            response = _refused(request, counted) or run(request, **path)
            describe(request, response)
            return response

        return running

    return decorate


@contextmanager
def password_guess(request: HttpRequest, *, username: str) -> Iterator[None]:
    """Within it a password is tried: see `limits.counted_guess`."""
    address = client_address(request)
    with limits.counted_guess(username=username, address=address) as readings:
        note(request, readings)
        yield
    note(request, [reading.given_back() for reading in readings])


def count_registration(request: HttpRequest) -> None:
    """Count a try to open an account: see `limits.count_registration`."""
    note(request, limits.count_registration(address=client_address(request)))


def _refused(request: HttpRequest, counted: Counted | None) -> HttpResponseBase | None:
    if counted is None:
        return None
    try:
        person = authenticate(request).id
        note(request, limits.count_request(person=person, writes=counted == "writes"))
    except ANSWERED as error:
        return answer(request, error)
    return None
