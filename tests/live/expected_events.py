"""The events that a stream is expected to send for messages."""

from collections.abc import Callable

import httpx

from tests.live.concurrent_calls import send
from tests.live.event_stream import ReceivedEvent, open_stream
from tests.live_server import LiveServer

Start = Callable[[int], LiveServer]


def type_and_sequence(received: ReceivedEvent) -> tuple[str, int]:
    """Which message it is about, by the sequence, which has no gaps."""
    outer = received.data.get("notification", received.data)
    assert isinstance(outer, dict)
    message = outer["message"]
    assert isinstance(message, dict)
    sequence = message["sequence"]
    assert isinstance(sequence, int)
    return received.type, sequence


def expected_events(messages: int) -> list[tuple[str, int]]:
    """The events that somebody receives of the messages that others send to a group."""
    return [
        (received, sequence)
        for sequence in range(1, messages + 1)
        for received in ("message.created", "notification.created")
    ]


def current_cursor(client: httpx.Client) -> str:
    with open_stream(client) as received:
        ready = next(received)
    assert (ready.type, ready.id is None) == ("ready", False)
    return str(ready.id)


def write(sender: httpx.Client, conversation: int, number: int) -> None:
    for turn in range(number):
        send(sender, conversation, f"message {turn}")
