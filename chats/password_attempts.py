"""Counting the passwords that a signed-in user gives once more."""

from contextlib import AbstractContextManager

from chats.decorators import PageRequest
from edge.addresses import client_address
from messaging.services.limits import PasswordAttempt, counted_password_attempt


def counted_attempt(request: PageRequest) -> AbstractContextManager[PasswordAttempt]:
    """Count the attempt in the body of the `with`: see `counted_password_attempt`."""
    return counted_password_attempt(
        username=request.user.username, address=client_address(request)
    )
