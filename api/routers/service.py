"""For the product beside which Parley runs: bringing people, acting for them."""

from datetime import timedelta

from django.http import HttpResponse
from ninja import Router, Status

from api.authentication import ServiceRequest
from api.operations import operation
from api.schemas.fields import Username
from api.schemas.people import (
    IssuedTokenOut,
    ServiceTokenIn,
    ServiceUserIn,
    ServiceUserOut,
    issued_token_out,
    service_user_out,
)
from messaging.services import service_tokens, users

router = Router(tags=["service"])


@operation(
    router,
    "POST",
    "/users",
    "service_create_user",
    {201: ServiceUserOut},
    refusals=[409],
    service=True,
)
def create_user(
    request: ServiceRequest, body: ServiceUserIn, response: HttpResponse
) -> Status[ServiceUserOut]:
    """Bring a person.

    The account has no password: they use it with the tokens that you mint for them. 409 when
    the username or the external id is taken.
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
    refusals=[403, 404],
    service=True,
)
def create_token(
    request: ServiceRequest,
    username: Username,
    body: ServiceTokenIn,
    response: HttpResponse,
) -> Status[IssuedTokenOut]:
    """Mint a short-lived token for a person.

    With it requests act for them as with one of their own. 403 for people who sign in with a
    password of their own: nobody acts for them.
    """
    issued = service_tokens.mint_token(
        service=request.auth,
        username=username,
        expires_in=timedelta(seconds=body.expires_in),
    )
    response["Location"] = "/api/v1/auth/tokens"
    return Status(201, issued_token_out(issued))
