"""The client of one person, or of nobody yet.

Generated from _async/client.py by scripts/client; do not edit.
"""

from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from parley_client import operations
from parley_client._sync.account import (
    Blocks,
    Me,
    Service,
    Tokens,
    Users,
)
from parley_client._sync.conversations import Conversations
from parley_client._sync.events import EventPage, EventStream
from parley_client._sync.inbox import Inbox, Notifications
from parley_client._sync.messages import Messages
from parley_client._sync.session import Session
from parley_client.models import IssuedToken, Registered, RegisterIn, TokenIn

TIMEOUT: Final = 30.0
RETRIES: Final = 6
# Seconds that the server waits for an event, unless told.
_POLL: Final = 25


class Parley:
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
        self._session = Session(url, token, timeout=timeout, retries=retries)
        self.conversations: Final = Conversations(self._session)
        self.messages: Final = Messages(self._session)
        self.inbox: Final = Inbox(self._session)
        self.notifications: Final = Notifications(self._session)
        self.users: Final = Users(self._session)
        self.blocks: Final = Blocks(self._session)
        self.me: Final = Me(self._session)
        self.tokens: Final = Tokens(self._session)
        self.service: Final = Service(self._session)

    @classmethod
    def register(
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
        with cls(url, timeout=timeout, retries=retries) as nobody:
            registered = nobody._session.read(
                operations.auth_register(body), Registered
            )
        return cls(url, token=registered.token, timeout=timeout, retries=retries)

    @classmethod
    def sign_in(
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
        with cls(url, timeout=timeout, retries=retries) as nobody:
            issued = nobody._session.read(
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

    def events(self, *, after: str | None = None) -> EventStream:
        """What happens from now on, or happened after a cursor, as it happens.

        Comes back by itself when the connection breaks, and misses nothing. After
        `Reset` what came before is not kept any more: read what you show anew.

        Raises, while it is iterated:
            NotAuthenticatedError: the token was revoked.
            NoAnswerError: the server was never there.
        """
        return EventStream(self._session, after)

    def poll_events(
        self,
        *,
        after: str | None = None,
        timeout: int = _POLL,
        limit: int | None = None,
    ) -> EventPage:
        """What happened after a cursor, as soon as there is something.

        Without a cursor: nothing yet, and the cursor of now.

        Raises:
            InvalidCursorError
        """
        request = operations.events_poll(after=after, timeout=timeout, limit=limit)
        silence = self._session.timeout + timeout
        return self._session.read(request, EventPage, silence=silence)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"
