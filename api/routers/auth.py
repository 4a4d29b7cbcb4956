from django.http import HttpResponse
from ninja import Query, Router, Status

from api.authentication import ApiRequest
from api.limits import count_registration, password_attempt
from api.operations import operation
from api.schemas.fields import PageQuery, TokenIdIn
from api.schemas.users import (
    IssuedTokenOut,
    RegisteredOut,
    RegisterIn,
    TokenIn,
    TokenPage,
    issued_token_out,
    profile_out,
    token_out,
)
from messaging.errors import (
    InvalidInviteError,
    InviteRequiredError,
    RegistrationClosedError,
    SignInError,
    TokenNotFoundError,
    TooManyTokensError,
    UsernameTakenError,
)
from messaging.services import tokens, users

router = Router(tags=["auth"])


@operation(
    router,
    "POST",
    "/register",
    "auth_register",
    {201: RegisteredOut},
    errors=[
        RegistrationClosedError,
        InviteRequiredError,
        InvalidInviteError,
        UsernameTakenError,
    ],
    public=True,
)
def register(
    request: ApiRequest, body: RegisterIn, response: HttpResponse
) -> Status[RegisteredOut]:
    """Open an account.

    Answers with a token that signs you in until it is revoked. Usernames are unique in
    any case. 403 if accounts need an invite code, or if nobody can open one.
    """
    count_registration(request)
    registered = users.register(
        username=body.username,
        password=body.password,
        display_name=body.display_name,
        invite_code=body.invite_code,
    )
    user = registered.user
    issued = tokens.issue_token(user=user, name="registration", expires_in=None)
    response["Location"] = "/api/v1/me"
    return Status(201, RegisteredOut(user=profile_out(user), token=issued.secret))


@operation(
    router,
    "POST",
    "/tokens",
    "auth_create_token",
    {201: IssuedTokenOut},
    errors=[SignInError, TooManyTokensError],
    public=True,
)
def create_token(
    request: ApiRequest, body: TokenIn, response: HttpResponse
) -> Status[IssuedTokenOut]:
    """Sign in.

    An unknown name, a wrong password and a suspended account get the same answer. 409
    if you have as many tokens as the server allows: it names the oldest one, and
    `replaces` revokes it in exchange.
    """
    with password_attempt(request, username=body.username):
        issued = tokens.sign_in(
            username=body.username,
            password=body.password,
            name=body.name,
            expires_in=body.lifetime,
            replaces=body.replaces,
        )
    response["Location"] = "/api/v1/auth/tokens"
    return Status(201, issued_token_out(issued))


@operation(router, "GET", "/tokens", "auth_list_tokens", {200: TokenPage})
def list_tokens(request: ApiRequest, parameters: Query[PageQuery]) -> TokenPage:
    """List your tokens, newest first.

    Expired tokens are listed until you revoke them.
    """
    page = tokens.token_page(
        owner=request.auth.id, cursor=parameters.cursor, limit=parameters.limit
    )
    return TokenPage(
        items=[token_out(token, current=request.auth.token_id) for token in page.items],
        next_cursor=page.next_cursor,
    )


@operation(
    router,
    "DELETE",
    "/tokens/current",
    "auth_revoke_current_token",
    {204: None},
    errors=[TokenNotFoundError],
)
def revoke_current_token(request: ApiRequest) -> Status[None]:
    """Sign out: revoke the token of this request.

    404 if the request was authenticated by a browser session instead of a token.
    """
    tokens.revoke_token(owner=request.auth.id, token_id=request.auth.token_id)
    return Status(204, None)


@operation(
    router,
    "DELETE",
    "/tokens/{token_id}",
    "auth_revoke_token",
    {204: None},
    errors=[TokenNotFoundError],
)
def revoke_token(request: ApiRequest, token_id: TokenIdIn) -> Status[None]:
    """Revoke one of your tokens.

    It takes effect at once: the next request with the token is answered 401.
    """
    tokens.revoke_token(owner=request.auth.id, token_id=token_id)
    return Status(204, None)
