"""The client of one person, or of nobody yet."""

from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from parley_client import operations
from parley_client._async.account import (
    AsyncBlocks,
    AsyncMe,
    AsyncService,
    AsyncTokens,
    AsyncUsers,
)
from parley_client._async.conversations import AsyncConversations
from parley_client._async.events import AsyncEventPage, AsyncEventStream
from parley_client._async.inbox import AsyncInbox, AsyncNotifications
from parley_client._async.messages import AsyncMessages
from parley_client._async.session import AsyncSession
from parley_client.models import IssuedToken, Registered, RegisterIn, TokenIn

TIMEOUT: Final = 30.0
RETRIES: Final = 6
# Seconds that the server waits for an event, unless told.
_POLL: Final = 25


class AsyncParley:
    """A person's way to a Parley server.

    What is sent is sent again when no answer comes, with a pause that grows, and for
    as long as the server asks: up to `retries` times, none of which does it twice.
    `timeout`: seconds that an attempt may take to connect, or to hear anything.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        """Connect to nothing yet.

        Raises:
            ValueError: the URL is none, or has a password in it.
        """
        self._session = AsyncSession(url, token, timeout=timeout, retries=retries)
        self.conversations: Final = AsyncConversations(self._session)
        self.messages: Final = AsyncMessages(self._session)
        self.inbox: Final = AsyncInbox(self._session)
        self.notifications: Final = AsyncNotifications(self._session)
        self.users: Final = AsyncUsers(self._session)
        self.blocks: Final = AsyncBlocks(self._session)
        self.me: Final = AsyncMe(self._session)
        self.tokens: Final = AsyncTokens(self._session)
        self.service: Final = AsyncService(self._session)

    @classmethod
    async def register(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        display_name: str | None = None,
        invite_code: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> Self:
        """Open an account, and sign in to it.

        Raises:
            UsernameTakenError, InvalidUsernameError, InvalidPasswordError
            RegistrationClosedError, InviteRequiredError, InvalidInviteError
            NoAnswerError: it may be open or not; it is not tried again.
        """
        body = RegisterIn(
            username=username,
            password=password,
            display_name=display_name,
            invite_code=invite_code,
        )
        async with cls(url, timeout=timeout, retries=retries) as nobody:
            registered = await nobody._session.read(
                operations.auth_register(body), Registered
            )
        return cls(url, token=registered.token, timeout=timeout, retries=retries)

    @classmethod
    async def sign_in(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        name: str = "parley-client",
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> Self:
        """Sign in with a password; `tokens.revoke_current` signs out.

        Raises:
            SignInFailedError: for whatever reason; they are told apart by nothing.
        """
        body = TokenIn(username=username, password=password, name=name)
        async with cls(url, timeout=timeout, retries=retries) as nobody:
            issued = await nobody._session.read(
                operations.auth_create_token(body), IssuedToken
            )
        return cls(url, token=issued.token, timeout=timeout, retries=retries)

    @property
    def url(self) -> str:
        return self._session.url

    @property
    def token(self) -> str | None:
        """What signs in: a secret, which is the caller's to keep."""
        return self._session.token

    def events(self, *, after: str | None = None) -> AsyncEventStream:
        """What happens from now on, or happened after a cursor, as it happens.

        Comes back by itself when the connection breaks, and misses nothing. After
        `Reset` what came before is not kept any more: read what you show anew.

        Raises, while it is iterated:
            NotAuthenticatedError: the token was revoked.
            NoAnswerError: the server was never there.
        """
        return AsyncEventStream(self._session, after)

    async def poll_events(
        self,
        *,
        after: str | None = None,
        timeout: int = _POLL,
        limit: int | None = None,
    ) -> AsyncEventPage:
        """What happened after a cursor, as soon as there is something.

        Without a cursor: nothing yet, and the cursor of now.

        Raises:
            InvalidCursorError
        """
        request = operations.events_poll(after=after, timeout=timeout, limit=limit)
        silence = self._session.timeout + timeout
        return await self._session.read(request, AsyncEventPage, silence=silence)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"
