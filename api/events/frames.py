"""Frames: events as server-sent events (SSE), serialised once for all recipients."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from api.schemas.events import (
    AnyEvent,
    PresenceChanged,
    Ready,
    Reconnect,
    Reset,
    TypingChanged,
    event_json,
    event_out,
)
from api.schemas.users import user_out
from messaging.ids import ConversationId, Position, UserId
from messaging.models import User
from messaging.services.deliveries import Delivery
from messaging.services.events import Log

# The first line of a stream: clients wait this many milliseconds before they reconnect.
RETRY: Final = b"retry: 2000\n\n"
# A comment line, sent as a heartbeat: it keeps clients and proxies from taking silence
# for a broken connection.
HEARTBEAT: Final = b": \n\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """An event as JSON and as SSE. `position` is None for transient events, which are not
    logged.
    """

    position: Position | None
    json: bytes
    sse: bytes
    # For a presence event: the user, and whether they are online.
    presence: tuple[UserId, bool] | None = None


@dataclass(frozen=True, slots=True)
class AddressedFrame:
    recipients: frozenset[UserId]
    frame: Frame


def addressed(deliveries: Iterable[Delivery], log: Log) -> list[AddressedFrame]:
    return [
        AddressedFrame(
            delivery.recipients,
            _frame(
                event_out(delivery),
                delivery.position,
                log.cursor(delivery.position),
            ),
        )
        for delivery in deliveries
    ]


def ready(log: Log) -> Frame:
    return _frame(Ready(), log.clock, log.cursor(log.clock))


def reset(log: Log) -> Frame:
    return _frame(Reset(), log.clock, log.cursor(log.clock))


def typing(user: User, conversation_id: ConversationId, *, on: bool) -> Frame:
    return _frame(
        TypingChanged(conversation_id=conversation_id, user=user_out(user), typing=on)
    )


def presence(user: User, *, online: bool) -> Frame:
    frame = _frame(PresenceChanged(user=user_out(user), online=online))
    return replace(frame, presence=(UserId(user.pk), online))


def _frame(
    event: AnyEvent, position: Position | None = None, cursor: str | None = None
) -> Frame:
    json = event_json(event)
    number = "" if cursor is None else f"id: {cursor}\n"
    head = f"event: {event.type}\n{number}data: ".encode()
    return Frame(position, json, b"".join((head, json, b"\n\n")))


RECONNECT: Final = _frame(Reconnect())
