"""Service tokens: the product that Parley runs beside creates users, and acts for them.

It may act only for users without a password, whom it or an import created, never for
users who sign in themselves.
"""

import secrets
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from messaging.errors import (
    OwnPasswordError,
    ServiceNameTakenError,
    ServiceTokenNotFoundError,
)
from messaging.ids import UserId
from messaging.models import AccessToken, ServiceToken
from messaging.services.limits import spend_quota
from messaging.services.tokens import IssuedToken, digest_of, issue_replacing_oldest
from messaging.services.users import active_user
from messaging.text import clean_service_name

# Short, since users without a password cannot revoke these tokens.
LONGEST: Final = timedelta(hours=24)


def create_service_token(*, name: str) -> str:
    """Create a service token; return its secret, of which only a digest is stored.

    Raises:
        InvalidServiceNameError
        ServiceNameTakenError: another service token has the name.
    """
    name = clean_service_name(name)
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
    """The service token of this secret; None if it is unknown or revoked."""
    return ServiceToken.objects.filter(digest=digest_of(secret)).first()


def revoke_service_token(*, name: str) -> None:
    """Revoke a service token at once; tokens that it minted expire by themselves.

    Raises:
        ServiceTokenNotFoundError
    """
    revoked, _ = ServiceToken.objects.filter(name=name).delete()
    if not revoked:
        raise ServiceTokenNotFoundError(f"There is no service token named {name}.")


def mint_token(
    *, service: ServiceToken, username: str, expires_in: timedelta
) -> IssuedToken:
    """Issue a token with which the service acts for a user, for at most `LONGEST`.

    If the user has as many tokens as allowed, it replaces the oldest one: nobody else
    could revoke that.

    Raises:
        UserNotFoundError: no such account, or a suspended one.
        OwnPasswordError: the user signs in by themselves.
        RateLimitedError
    """
    if expires_in > LONGEST:
        raise ValueError("a minted token is short-lived")
    user = active_user(username=username)
    if user.has_usable_password():
        raise OwnPasswordError("This person signs in with a password of their own.")
    with spend_quota("minted-tokens", user_id=UserId(user.pk)):
        # Delete the user's expired tokens now: only the service made them, so nobody
        # needs them listed.
        AccessToken.objects.filter(user=user, expires_at__lt=timezone.now()).delete()
        return issue_replacing_oldest(
            user=user, name=service.name, expires_in=expires_in
        )
