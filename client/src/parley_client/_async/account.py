"""Your own account, its tokens, and other people."""

from collections.abc import AsyncIterator

import httpx
from pydantic import TypeAdapter

from parley_client import operations
from parley_client._async.listing import AsyncListing
from parley_client._async.session import AsyncSession
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
    MePatch,
    PasswordIn,
    ServiceTokenIn,
    ServiceUser,
    ServiceUserIn,
    Token,
    TokenIn,
    User,
)

_EXPORT_LINE: TypeAdapter[ExportLine] = TypeAdapter(ExportLine)


class AsyncMe:
    """Your account."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self) -> User:
        """Your profile, as everyone sees it."""
        return await self._session.read(operations.me_get(), User)

    async def update(
        self, *, display_name: str, idempotency_key: str | None = None
    ) -> User:
        """Change your display name, on everything you wrote.

        Raises:
            InvalidDisplayNameError
        """
        request = operations.me_update(
            MePatch(display_name=display_name), idempotency_key=idempotency_key
        )
        return await self._session.read(request, User)

    async def change_password(self, *, current: str, new: str) -> None:
        """Change your password, and sign out everywhere else.

        Raises:
            WrongPasswordError, InvalidPasswordError
            NoAnswerError: it may be changed or not; it is not tried again.
        """
        body = PasswordIn(current_password=current, new_password=new)
        await self._session.do(operations.me_change_password(body).once())

    async def preview_deletion(self) -> Deletion:
        """What deleting your account would take away."""
        return await self._session.read(operations.me_preview_deletion(), Deletion)

    async def delete(self, *, password: str) -> Deletion:
        """Delete your account for good, and everything of you with it.

        Raises:
            WrongPasswordError
            NoAnswerError: it may be deleted or not; it is not tried again.
        """
        request = operations.me_delete(DeletionIn(password=password)).once()
        return await self._session.read(request, Deletion)

    async def export(self) -> AsyncIterator[ExportLine]:
        """Everything of yours, line by line, the end line last.

        Raises:
            NoAnswerError: it broke off; there is no end line then.
        """
        lines = Lines()
        try:
            async with self._session.opened(operations.me_export()) as response:
                if not response.is_success:
                    await response.aread()
                    raise refusal(response)
                async for piece in response.aiter_bytes():
                    for line in lines.feed(piece):
                        told = _EXPORT_LINE.validate_json(line)
                        yield told
                        if isinstance(told, EndLine):
                            return
        except httpx.RequestError as error:
            raise NoAnswerError("The export broke off.") from error
        raise NoAnswerError("The export ended before its end line.")


class AsyncTokens:
    """Where you are signed in."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create(
        self,
        *,
        username: str,
        password: str,
        name: str = "",
        expires_in: int | None = None,
    ) -> IssuedToken:
        """Sign in; the token lasts `expires_in` seconds, or until it is revoked.

        Raises:
            SignInFailedError: for whatever reason; they are told apart by nothing.
        """
        body = TokenIn(
            username=username, password=password, name=name, expires_in=expires_in
        )
        return await self._session.read(operations.auth_create_token(body), IssuedToken)

    def list(self, *, page_size: int | None = None) -> AsyncListing[Token]:
        """Your tokens, newest first."""
        request = operations.auth_list_tokens(limit=page_size)
        return AsyncListing(self._session, request, Page[Token])

    async def revoke(self, token_id: int) -> None:
        """Sign out where a token is used.

        Raises:
            TokenNotFoundError
        """
        await self._session.do(operations.auth_revoke_token(token_id))

    async def revoke_current(self) -> None:
        """Sign out here: this client is refused from now on."""
        await self._session.do(operations.auth_revoke_current_token())


class AsyncUsers:
    """Other people."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def search(self, query: str, *, page_size: int | None = None) -> AsyncListing[User]:
        """People whose username begins like this."""
        request = operations.users_search(query=query, limit=page_size)
        return AsyncListing(self._session, request, Page[User])


class AsyncBlocks:
    """Whom you blocked."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def list(self, *, page_size: int | None = None) -> AsyncListing[Block]:
        """Whom you blocked, the last first."""
        request = operations.blocks_list(limit=page_size)
        return AsyncListing(self._session, request, Page[Block])

    async def add(self, username: str) -> None:
        """Exchange no more direct messages with someone, who is not told.

        Raises:
            UserNotFoundError, SelfBlockError
        """
        await self._session.do(operations.blocks_put(username))

    async def remove(self, username: str) -> None:
        """Unblock someone.

        Raises:
            UserNotFoundError
        """
        await self._session.do(operations.blocks_remove(username))


class AsyncService:
    """For the product beside the server, whose token is a service's."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def create_user(
        self,
        username: str,
        *,
        display_name: str | None = None,
        external_id: str | None = None,
    ) -> ServiceUser:
        """Bring a person, who signs in through the product alone.

        Raises:
            UsernameTakenError, ExternalIdTakenError
            InvalidUsernameError, InvalidDisplayNameError
        """
        body = ServiceUserIn(
            username=username, display_name=display_name, external_id=external_id
        )
        request = operations.service_create_user(body)
        return await self._session.read(request, ServiceUser)

    async def create_token(
        self, username: str, *, expires_in: int = 3600
    ) -> IssuedToken:
        """A token for a person, for so many seconds, at most a day.

        Raises:
            UserNotFoundError
            OwnPasswordError: they have a password, and sign in themselves.
        """
        body = ServiceTokenIn(expires_in=expires_in)
        request = operations.service_create_token(username, body)
        return await self._session.read(request, IssuedToken)
