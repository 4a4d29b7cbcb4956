"""For the product beside which Parley runs: it brings people, and acts for them.

It may act only for people who have no password of their own, those it brought
and those that were imported: whoever signs in by themselves is out of its reach.
"""

import secrets
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.errors import (
    InvalidServiceNameError,
    OwnPasswordError,
    ServiceNameTakenError,
    ServiceTokenNotFoundError,
)
from messaging.models import AccessToken, ServiceToken
from messaging.services.tokens import IssuedToken, digest_of, issue_token
from messaging.services.users import active_user

LONGEST: Final = timedelta(hours=24)

_NAME_MAX_LENGTH: Final = ServiceToken._meta.get_field("name").max_length or 0


def create_service_token(*, name: str) -> str:
    """Make a service token; its secret can be read this once.

    Raises:
        InvalidServiceNameError
        ServiceNameTakenError: revoke that one first.
    """
    if not 0 < len(name) <= _NAME_MAX_LENGTH or not name.isprintable():
        raise InvalidServiceNameError(
            f"A service's name has 1 to {_NAME_MAX_LENGTH} printable characters.",
            field="name",
        )
    secret = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            ServiceToken.objects.create(name=name, digest=digest_of(secret))
    except IntegrityError as error:
        raise ServiceNameTakenError(
            f"There is a service token named {name} already."
        ) from error
    return secret


def valid_service_token(*, secret: str) -> ServiceToken | None:
    """The service token of this secret, unless revoked."""
    return ServiceToken.objects.filter(digest=digest_of(secret)).first()


def revoke_service_token(*, name: str) -> None:
    """End a service token at once; tokens minted with it run out by themselves.

    Raises:
        ServiceTokenNotFoundError
    """
    revoked, _ = ServiceToken.objects.filter(name=name).delete()
    if not revoked:
        raise ServiceTokenNotFoundError(f"There is no service token named {name}.")


def mint_token(
    *, service: ServiceToken, username: str, expires_in: timedelta
) -> IssuedToken:
    """A token, for at most a day, with which the service acts for a person.

    Raises:
        UserNotFoundError: no such account, or a suspended one.
        OwnPasswordError: they sign in by themselves.
    """
    if expires_in > LONGEST:
        raise ValueError("a minted token is short-lived")
    user = active_user(username=username)
    if user.has_usable_password():
        raise OwnPasswordError("This person signs in with a password of their own.")
    # Nobody but the service made them, and nobody else would clear them away.
    AccessToken.objects.filter(user=user, expires_at__lt=timezone.now()).delete()
    return issue_token(user=user, name=service.name, expires_in=expires_in)
