"""Live events, as a stream that reconnects and resumes by itself.

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

# Seconds without a byte after which the connection counts as broken. The server sends
# at least a heartbeat far more often.
_SILENCE: Final = 60.0


class MessageCreated(models.MessageCreatedData):
    message: Message


class MessageEdited(models.MessageEditedData):
    """A message was edited; `message` has its present content."""

    message: Message


class MessageDeleted(models.MessageDeletedData):
    message: Message | None


class NotificationCreated(models.NotificationCreatedData):
    notification: Notification


class ConversationCreated(models.ConversationCreatedData):
    conversation: Conversation


class ConversationUpdated(models.ConversationUpdatedData):
    """The title, the owner or your own settings of a conversation changed."""

    conversation: Conversation


class ConversationReset(models.ConversationResetData):
    """A former sender deleted their account: read the whole conversation again."""

    conversation: Conversation


# Events of the server's log, which it replays after a cursor; and `Reset`, which says
# that the log does not reach back to the cursor.
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
    """The events after a cursor; `next_cursor` is the cursor for the next call."""

    items: Sequence[PolledEvent]


class EventStream:
    """Iterates over events as they happen; reconnects by itself, and skips no event."""

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
        """Close the connection; iterating further yields no events."""
        with closing(self._events):
            pass

    def _all(self) -> Generator[Event, None]:
        reconnections = Reconnections(self._session.retries)
        while True:
            decoder = FrameDecoder()
            try:
                with closing(self._connection(decoder, reconnections)) as events:
                    for event in events:
                        # An event proves that the stream works.
                        reconnections.failures = 0
                        yield event
                wait = decoder.pause
            except (httpx.RequestError, ParleyError) as error:
                wait = reconnections.after(error)
            time.sleep(wait)

    def _connection(
        self, decoder: FrameDecoder, reconnections: Reconnections
    ) -> Generator[Event, None]:
        """The events of one connection, until the server closes it or asks to reconnect."""
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
                        # Another process takes over at once; the random pause spreads
                        # the clients.
                        decoder.pause = pause(1)
                        return
                    self.cursor = self.cursor if frame.id is None else frame.id
                    if event is not None:
                        yield event


def _event(frame: Frame, session: Session) -> Event | models.Reconnect | None:
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
