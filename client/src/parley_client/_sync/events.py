"""Live events, as a stream that resumes itself.

Generated from _async/events.py by scripts/client; do not edit.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from http import HTTPStatus
from types import TracebackType
from typing import Annotated, Final, Self

import httpx
from pydantic import Field, TypeAdapter, ValidationError

from parley_client import models, operations
from parley_client._sync.conversations import Conversation
from parley_client._sync.inbox import Notification
from parley_client._sync.messages import Message
from parley_client._sync.session import Session
from parley_client.attempts import Reconnections, pause
from parley_client.errors import ParleyError, UnexpectedAnswerError, refusal
from parley_client.frames import Frame, FrameDecoder

# Seconds. The server sends something, if only a comment, far more often.
_SILENCE: Final = 60.0


class MessageCreated(models.MessageCreatedData):
    message: Message


class MessageEdited(models.MessageEditedData):
    """The message as it reads now."""

    message: Message


class MessageDeleted(models.MessageDeletedData):
    message: Message | None


class NotificationCreated(models.NotificationCreatedData):
    notification: Notification


class ConversationCreated(models.ConversationCreatedData):
    conversation: Conversation


class ConversationUpdated(models.ConversationUpdatedData):
    """Its title, its owner, or what you alone set."""

    conversation: Conversation


class ConversationReset(models.ConversationResetData):
    """Someone who wrote there deleted their account: read the conversation anew."""

    conversation: Conversation


# What is kept, and told again to who asks for what came after a cursor; or that it is
# not kept any more.
PolledEvent = Annotated[
    MessageCreated
    | MessageEdited
    | MessageDeleted
    | models.MessageRead
    | models.MessageUnread
    | NotificationCreated
    | ConversationCreated
    | ConversationUpdated
    | models.ConversationDeleted
    | ConversationReset
    | models.ParticipantAdded
    | models.ParticipantRemoved
    | models.UserUpdated
    | models.Reset,
    Field(discriminator="type"),
]
Event = PolledEvent | models.TypingChanged | models.PresenceChanged | models.Ready

_EVENT: TypeAdapter[Event | models.Reconnect] = TypeAdapter(
    Annotated[Event | models.Reconnect, Field(discriminator="type")]
)


class EventPage(models.EventPage):
    """What came after a cursor, and the cursor to ask with the next time."""

    items: Sequence[PolledEvent]


class EventStream:
    """What happens, as it happens. Comes back by itself, and misses nothing."""

    def __init__(self, session: Session, after: str | None) -> None:
        self._session = session
        self._events = self._all()
        self.cursor = after
        """Of the last event given out: keep it, to go on from there another time."""

    def __iter__(self) -> Iterator[Event]:
        return self._events

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        with closing(self._events):
            pass

    def _all(self) -> Generator[Event, None]:
        reconnections = Reconnections(self._session.retries)
        while True:
            decoder = FrameDecoder()
            try:
                with closing(self._connection(decoder, reconnections)) as events:
                    for event in events:
                        reconnections.failures = 0
                        yield event
                wait = decoder.pause
            except (httpx.RequestError, ParleyError) as error:
                wait = reconnections.after(error)
            time.sleep(wait)

    def _connection(
        self, decoder: FrameDecoder, reconnections: Reconnections
    ) -> Generator[Event, None]:
        """What comes until the server hangs up, or is about to."""
        request = operations.events_stream(last_event_id=self.cursor)
        with self._session.opened(request, silence=_SILENCE) as response:
            if not response.is_success:
                response.read()
                raise refusal(response)
            reconnections.was_open = True
            for piece in response.iter_bytes():
                for frame in decoder.feed(piece):
                    event = _event(frame, self._session)
                    if isinstance(event, models.Reconnect):
                        decoder.pause = pause(1)
                        return
                    self.cursor = self.cursor if frame.id is None else frame.id
                    if event is not None:
                        yield event


def _event(frame: Frame, session: Session) -> Event | models.Reconnect | None:
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
