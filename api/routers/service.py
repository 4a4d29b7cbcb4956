"""For the product that Parley runs beside: creating users, and acting for them."""

from datetime import timedelta

from django.http import HttpResponse
from ninja import Router, Status

from api.authentication import ServiceRequest
from api.operations import operation
from api.schemas.fields import Username
from api.schemas.users import (
    IssuedTokenOut,
    ServiceTokenIn,
    ServiceUserIn,
    ServiceUserOut,
    issued_token_out,
    service_user_out,
)
from messaging.errors import (
    ExternalIdTakenError,
    OwnPasswordError,
    UsernameTakenError,
    UserNotFoundError,
)
from messaging.services import service_tokens, users

router = Router(tags=["service"])


@operation(
    router,
    "POST",
    "/users",
    "service_create_user",
    {201: ServiceUserOut},
    errors=[UsernameTakenError, ExternalIdTakenError],
    service=True,
)
def create_user(
    request: ServiceRequest, body: ServiceUserIn, response: HttpResponse
) -> Status[ServiceUserOut]:
    """Create a user without a password.

    Only tokens that you mint act for this user. 409 if the username or the external id
    is taken.
    """
    user = users.create_account(
        username=body.username,
        password=None,
        display_name=body.display_name,
        external_id=body.external_id,
    )
    response["Location"] = f"/api/v1/users?query={user.username}"
    return Status(201, service_user_out(user))


@operation(
    router,
    "POST",
    "/users/{username}/tokens",
    "service_create_token",
    {201: IssuedTokenOut},
    errors=[OwnPasswordError, UserNotFoundError],
    service=True,
)
def create_token(
    request: ServiceRequest,
    username: Username,
    body: ServiceTokenIn,
    response: HttpResponse,
) -> Status[IssuedTokenOut]:
    """Mint a short-lived token for a user.

    Requests with it act for that user. 403 if the user has a password: a service cannot
    act for people who sign in themselves.
    """
    issued = service_tokens.mint_token(
        service=request.auth,
        username=username,
        expires_in=timedelta(seconds=body.expires_in),
    )
    response["Location"] = "/api/v1/auth/tokens"
    return Status(201, issued_token_out(issued))
