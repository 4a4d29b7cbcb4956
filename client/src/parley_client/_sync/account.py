"""The user's own account and tokens, other users, blocks, and the service API.

Generated from _async/account.py by scripts/client; do not edit.
"""

from collections.abc import Iterator
from typing import Literal

import httpx
from pydantic import TypeAdapter

from parley_client import operations
from parley_client._sync.listing import Listing
from parley_client._sync.session import Session
from parley_client.base import Page
from parley_client.errors import NoAnswerError, refusal
from parley_client.frames import Lines
from parley_client.models import (
    Block,
    Deletion,
    DeletionIn,
    EndLine,
    ExportLine,
    IssuedToken,
    Look,
    LooksSeenIn,
    MePatch,
    PasswordIn,
    Profile,
    ServiceTokenIn,
    ServiceUser,
    ServiceUserIn,
    Token,
    TokenIn,
    User,
)

WhoMayAdd = Literal["everyone", "contacts", "nobody"]
SendKey = Literal["enter", "shift_enter"]

_EXPORT_LINE: TypeAdapter[ExportLine] = TypeAdapter(ExportLine)


class Me:
    """Your account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self) -> Profile:
        """Fetch your profile and your settings."""
        return self._session.read(operations.me_get(), Profile)

    def update(
        self,
        *,
        display_name: str | None = None,
        who_may_add: WhoMayAdd | None = None,
        shows_presence: bool | None = None,
        send_key: SendKey | None = None,
        idempotency_key: str | None = None,
    ) -> Profile:
        """Change your display name, or your settings.

        The new name is shown with everything you wrote. Who hides their presence sees
        that of nobody.

        Raises:
            InvalidDisplayNameError
            RateLimitedError: you changed your name too often.
        """
        body = MePatch(
            display_name=display_name,
            who_may_add=who_may_add,
            shows_presence=shows_presence,
            send_key=send_key,
        )
        request = operations.me_update(body, idempotency_key=idempotency_key)
        return self._session.read(request, Profile)

    def change_password(self, *, current: str, new: str) -> None:
        """Change your password; all other sessions and tokens of yours end.

        Raises:
            WrongPasswordError, UnchangedPasswordError, InvalidPasswordError
            NoAnswerError: the password may or may not have changed. The request is not
                repeated: the repetition would be refused, since the old password is
                wrong then.
        """
        body = PasswordIn(current_password=current, new_password=new)
        self._session.do(operations.me_change_password(body).once())

    def preview_deletion(self) -> Deletion:
        """Count what deleting your account would delete."""
        return self._session.read(operations.me_preview_deletion(), Deletion)

    def delete(self, *, password: str) -> Deletion:
        """Delete your account and all its data for good.

        Raises:
            WrongPasswordError
            NoAnswerError: the account may or may not be deleted; the request is not
                repeated.
        """
        request = operations.me_delete(DeletionIn(password=password)).once()
        return self._session.read(request, Deletion)

    def export(self) -> Iterator[ExportLine]:
        """Iterate over the lines of your export; an `EndLine` is the last one.

        You have one export at a time.

        Raises:
            ExportRunningError: another export of yours is running.
            NoAnswerError: the connection broke before the end line.
        """
        lines = Lines()
        try:
            with self._session.opened(operations.me_export()) as response:
                if not response.is_success:
                    response.read()
                    raise refusal(response)
                for piece in response.iter_bytes():
                    for line in lines.feed(piece):
                        parsed = _EXPORT_LINE.validate_json(line)
                        yield parsed
                        if isinstance(parsed, EndLine):
                            return
        except httpx.RequestError as error:
            raise NoAnswerError("The export broke off.") from error
        raise NoAnswerError("The export ended before its end line.")


class Tokens:
    """Access tokens: the programs that are signed in to your account."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self,
        *,
        username: str,
        password: str,
        name: str = "",
        expires_in: int | None = None,
        replaces: int | None = None,
    ) -> IssuedToken:
        """Sign in with a password; the token lasts `expires_in` seconds, or until it is revoked.

        `replaces` is the id of a token of yours that the server revokes in exchange.

        Raises:
            TooManyTokensError: you have as many tokens as the server allows; the text
                names the oldest one.
            SignInFailedError: the name is unknown, the password wrong, or the account
                suspended; the server does not tell which.
        """
        body = TokenIn(
            username=username,
            password=password,
            name=name,
            expires_in=expires_in,
            replaces=replaces,
        )
        return self._session.read(operations.auth_create_token(body), IssuedToken)

    def list(self, *, page_size: int | None = None) -> Listing[Token]:
        """Your tokens, newest first."""
        request = operations.auth_list_tokens(limit=page_size)
        return Listing(self._session, request, Page[Token])

    def revoke(self, token_id: int) -> None:
        """Revoke a token: the server refuses it from now on.

        Raises:
            TokenNotFoundError
        """
        self._session.do(operations.auth_revoke_token(token_id))

    def revoke_current(self) -> None:
        """Revoke the token of this client: the server refuses it from now on."""
        self._session.do(operations.auth_revoke_current_token())


class Users:
    """The search for other people."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def search(self, query: str, *, page_size: int | None = None) -> Listing[User]:
        """Find people who have `query` anywhere in their names.

        Case, accents and composition make no difference.
        """
        request = operations.users_search(query=query, limit=page_size)
        return Listing(self._session, request, Page[User])


class Blocks:
    """The people you blocked."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, page_size: int | None = None) -> Listing[Block]:
        """The people you blocked, the latest block first."""
        request = operations.blocks_list(limit=page_size)
        return Listing(self._session, request, Page[Block])

    def add(self, username: str) -> None:
        """Block a person: the two of you can send each other no direct messages.

        The other person is not notified.

        Raises:
            UserNotFoundError, SelfBlockError, TooManyBlocksError
        """
        self._session.do(operations.blocks_put(username))

    def remove(self, username: str) -> None:
        """Remove your block of a person.

        Raises:
            UserNotFoundError
        """
        self._session.do(operations.blocks_remove(username))


class Looks:
    """Looks of the server's staff at your conversations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, page_size: int | None = None) -> Listing[Look]:
        """The looks you are told of, the latest first."""
        request = operations.looks_list(limit=page_size)
        return Listing(self._session, request, Page[Look])

    def mark_seen(self, up_to: int) -> None:
        """Mark looks as not new any more, up to the one of this id and with it."""
        self._session.do(operations.looks_mark_seen(LooksSeenIn(up_to=up_to)))


class Service:
    """The API for the product beside the server; it takes a service token."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create_user(
        self,
        username: str,
        *,
        display_name: str | None = None,
        external_id: str | None = None,
    ) -> ServiceUser:
        """Create an account without a password, whose user signs in through the product alone.

        Raises:
            UsernameTakenError, ExternalIdTakenError
            InvalidUsernameError, InvalidDisplayNameError
        """
        body = ServiceUserIn(
            username=username, display_name=display_name, external_id=external_id
        )
        request = operations.service_create_user(body)
        return self._session.read(request, ServiceUser)

    def create_token(self, username: str, *, expires_in: int = 3600) -> IssuedToken:
        """Issue a token for a user; it lasts `expires_in` seconds, a day at most.

        Raises:
            UserNotFoundError
            OwnPasswordError: the user has a password, so no service may act for them.
        """
        body = ServiceTokenIn(expires_in=expires_in)
        request = operations.service_create_token(username, body)
        return self._session.read(request, IssuedToken)
