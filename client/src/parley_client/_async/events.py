"""Live events, as a stream that reconnects and resumes by itself."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from types import TracebackType
from typing import Annotated, Final, Self

import anyio
import httpx
from pydantic import Field, TypeAdapter, ValidationError

from parley_client import models, operations
from parley_client._async.conversations import AsyncConversation
from parley_client._async.inbox import AsyncNotification
from parley_client._async.messages import AsyncMessage
from parley_client._async.session import AsyncSession
from parley_client.attempts import Reconnections, pause
from parley_client.errors import ParleyError, UnexpectedAnswerError, refusal
from parley_client.frames import Frame, FrameDecoder

# Seconds without a byte after which the connection counts as broken. The server sends
# at least a heartbeat far more often.
_SILENCE: Final = 60.0


class AsyncMessageCreated(models.MessageCreatedData):
    message: AsyncMessage


class AsyncMessageEdited(models.MessageEditedData):
    """A message was edited; `message` has its present content."""

    message: AsyncMessage


class AsyncMessageDeleted(models.MessageDeletedData):
    message: AsyncMessage | None


class AsyncNotificationCreated(models.NotificationCreatedData):
    notification: AsyncNotification


class AsyncConversationCreated(models.ConversationCreatedData):
    conversation: AsyncConversation


class AsyncConversationUpdated(models.ConversationUpdatedData):
    """The title, the owner or your own settings of a conversation changed."""

    conversation: AsyncConversation


class AsyncConversationReset(models.ConversationResetData):
    """A former sender deleted their account: read the whole conversation again."""

    conversation: AsyncConversation


# Events of the server's log, which it replays after a cursor; and `Reset`, which says
# that the log does not reach back to the cursor.
AsyncPolledEvent = Annotated[
    AsyncMessageCreated
    | AsyncMessageEdited
    | AsyncMessageDeleted
    | models.MessageRead
    | models.MessageUnread
    | AsyncNotificationCreated
    | AsyncConversationCreated
    | AsyncConversationUpdated
    | models.ConversationDeleted
    | AsyncConversationReset
    | models.ParticipantAdded
    | models.ParticipantRemoved
    | models.UserUpdated
    | models.Reset,
    Field(discriminator="type"),
]
AsyncEvent = (
    AsyncPolledEvent | models.TypingChanged | models.PresenceChanged | models.Ready
)

_EVENT: TypeAdapter[AsyncEvent | models.Reconnect] = TypeAdapter(
    Annotated[AsyncEvent | models.Reconnect, Field(discriminator="type")]
)


class AsyncEventPage(models.EventPage):
    """The events after a cursor; `next_cursor` is the cursor for the next call."""

    items: Sequence[AsyncPolledEvent]


class AsyncEventStream:
    """Iterates over events as they happen; reconnects by itself, and skips no event."""

    def __init__(self, session: AsyncSession, after: str | None) -> None:
        self._session = session
        self._events = self._all()
        self.cursor = after
        """Of the last event given out: keep it, to go on from there another time."""

    def __aiter__(self) -> AsyncIterator[AsyncEvent]:
        return self._events

    async def __anext__(self) -> AsyncEvent:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; iterating further yields no events."""
        async with aclosing(self._events):
            pass

    async def _all(self) -> AsyncGenerator[AsyncEvent, None]:
        reconnections = Reconnections(self._session.retries)
        while True:
            decoder = FrameDecoder()
            try:
                async with aclosing(self._connection(decoder, reconnections)) as events:
                    async for event in events:
                        # An event proves that the stream works.
                        reconnections.failures = 0
                        yield event
                wait = decoder.pause
            except (httpx.RequestError, ParleyError) as error:
                wait = reconnections.after(error)
            await anyio.sleep(wait)

    async def _connection(
        self, decoder: FrameDecoder, reconnections: Reconnections
    ) -> AsyncGenerator[AsyncEvent, None]:
        """The events of one connection, until the server closes it or asks to reconnect."""
        request = operations.events_stream(last_event_id=self.cursor)
        async with self._session.opened(request, silence=_SILENCE) as response:
            if not response.is_success:
                await response.aread()
                raise refusal(response)
            reconnections.was_open = True
            async for piece in response.aiter_bytes():
                for frame in decoder.feed(piece):
                    event = _event(frame, self._session)
                    if isinstance(event, models.Reconnect):
                        # Another process takes over at once; the random pause spreads
                        # the clients.
                        decoder.pause = pause(1)
                        return
                    self.cursor = self.cursor if frame.id is None else frame.id
                    if event is not None:
                        yield event


def _event(frame: Frame, session: AsyncSession) -> AsyncEvent | models.Reconnect | None:
    """Parse an event; None for a type that this version of the client does not know.

    Raises:
        UnexpectedAnswerError: the frame holds no event.
    """
    try:
        return _EVENT.validate_json(frame.data, context=session)
    except ValidationError as error:
        if '"union_tag_invalid"' in error.json(include_input=False):
            return None
        raise UnexpectedAnswerError(HTTPStatus.OK, "A frame is no event") from error
