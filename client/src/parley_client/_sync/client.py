"""The entry point of the client: one object for one signed-in user.

Generated from _async/client.py by scripts/client; do not edit.
"""

from types import TracebackType
from typing import Final, Self

from typing_extensions import override

from parley_client import operations
from parley_client._sync.account import Blocks, Looks, Me, Service, Tokens, Users
from parley_client._sync.catch_up import CatchUp
from parley_client._sync.conversations import Conversations, Invitations
from parley_client._sync.events import EventPage, EventStream
from parley_client._sync.inbox import Inbox, Notifications
from parley_client._sync.messages import Messages
from parley_client._sync.session import Session
from parley_client.models import IssuedToken, Registered, RegisterIn, TokenIn

TIMEOUT: Final = 30.0
RETRIES: Final = 6
# Seconds that the server waits for an event before it answers without one.
_POLL: Final = 25


class Parley:
    """A connection to a Parley server, signed in as one user or as nobody.

    If no answer comes, or the server is overloaded (429, 502, 503 or 504), the client
    sends the request again, up to `retries` times, with growing pauses, or after as
    many seconds as the server asks for. It repeats only requests that are idempotent or
    have an idempotency key. `timeout` is the number of seconds that one attempt may
    wait to connect, and for each piece of the answer.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        """Opens no connection yet.

        Raises:
            ValueError: the URL is not valid or contains a password, or the token is not
                printable ASCII.
        """
        self._session = Session(url, token, timeout=timeout, retries=retries)
        self.conversations: Final = Conversations(self._session)
        self.invitations: Final = Invitations(self._session)
        self.messages: Final = Messages(self._session)
        self.inbox: Final = Inbox(self._session)
        self.notifications: Final = Notifications(self._session)
        self.catch_up: Final = CatchUp(self._session)
        self.users: Final = Users(self._session)
        self.blocks: Final = Blocks(self._session)
        self.looks: Final = Looks(self._session)
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
        """Open an account and sign in to it.

        Raises:
            UsernameTakenError, InvalidUsernameError, InvalidPasswordError
            RegistrationClosedError, InviteRequiredError, InvalidInviteError
            NoAnswerError: the account may or may not exist; the request is not
                repeated.
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
            SignInFailedError: the name is unknown, the password wrong, or the account
                suspended; the server does not tell which.
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
        """The access token. It is a secret: whoever has it is signed in as you."""
        return self._session.token

    def events(self, *, after: str | None = None) -> EventStream:
        """Stream events as they happen, beginning now or after a cursor.

        The stream reconnects by itself and delivers every event once. After a `Reset`,
        events are missing, because the server does not keep them any longer: read again
        all data that you show.

        Raises, while it is iterated:
            NotAuthenticatedError: the token was revoked.
            NoAnswerError: the server never accepted the stream.
        """
        return EventStream(self._session, after)

    def poll_events(
        self,
        *,
        after: str | None = None,
        timeout: int = _POLL,
        limit: int | None = None,
    ) -> EventPage:
        """Wait up to `timeout` seconds for events after a cursor (long polling).

        Without a cursor the page has no events, and the present cursor.

        Raises:
            InvalidCursorError
        """
        request = operations.events_poll(after=after, timeout=timeout, limit=limit)
        silence = self._session.timeout + timeout
        return self._session.read(request, EventPage, silence=silence)

    def close(self) -> None:
        """Close all connections."""
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
