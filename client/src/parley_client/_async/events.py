"""Live events, as a stream that resumes itself."""

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

# Seconds. The server sends something, if only a comment, far more often.
_SILENCE: Final = 60.0


class AsyncMessageCreated(models.MessageCreatedData):
    message: AsyncMessage


class AsyncMessageEdited(models.MessageEditedData):
    """The message as it reads now."""

    message: AsyncMessage


class AsyncMessageDeleted(models.MessageDeletedData):
    message: AsyncMessage | None


class AsyncNotificationCreated(models.NotificationCreatedData):
    notification: AsyncNotification


class AsyncConversationCreated(models.ConversationCreatedData):
    conversation: AsyncConversation


class AsyncConversationUpdated(models.ConversationUpdatedData):
    """Its title, its owner, or what you alone set."""

    conversation: AsyncConversation


class AsyncConversationReset(models.ConversationResetData):
    """Someone who wrote there deleted their account: read the conversation anew."""

    conversation: AsyncConversation


# What is kept, and told again to who asks for what came after a cursor; or that it is
# not kept any more.
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
    """What came after a cursor, and the cursor to ask with the next time."""

    items: Sequence[AsyncPolledEvent]


class AsyncEventStream:
    """What happens, as it happens. Comes back by itself, and misses nothing."""

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
        """Hang up."""
        async with aclosing(self._events):
            pass

    async def _all(self) -> AsyncGenerator[AsyncEvent, None]:
        reconnections = Reconnections(self._session.retries)
        while True:
            decoder = FrameDecoder()
            try:
                async with aclosing(self._connection(decoder, reconnections)) as events:
                    async for event in events:
                        reconnections.failures = 0
                        yield event
                wait = decoder.pause
            except (httpx.RequestError, ParleyError) as error:
                wait = reconnections.after(error)
            await anyio.sleep(wait)

    async def _connection(
        self, decoder: FrameDecoder, reconnections: Reconnections
    ) -> AsyncGenerator[AsyncEvent, None]:
        """What comes until the server hangs up, or is about to."""
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
                        decoder.pause = pause(1)
                        return
                    self.cursor = self.cursor if frame.id is None else frame.id
                    if event is not None:
                        yield event


def _event(frame: Frame, session: AsyncSession) -> AsyncEvent | models.Reconnect | None:
    """None for a type of event that this version of the client does not know.

    Raises:
        UnexpectedAnswerError: it is no event.
    """
    try:
        return _EVENT.validate_json(frame.data, context=session)
    except ValidationError as error:
        if '"union_tag_invalid"' in error.json(include_input=False):
            return None
        raise UnexpectedAnswerError(HTTPStatus.OK, "A frame is no event") from error
