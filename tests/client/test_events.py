"""The stream of events resumes itself; over real connections to a scripted server."""

import json
from collections.abc import Callable
from itertools import islice
from typing import Final

import anyio
import pytest

from parley_client import (
    AsyncMessageCreated,
    AsyncParley,
    Event,
    MessageCreated,
    NoAnswerError,
    Parley,
    PresenceChanged,
    Ready,
    Reset,
    TypingChanged,
    errors,
)
from parley_client.frames import Frame, FrameDecoder
from tests.client.frames import ANN, created, frame
from tests.client.sse_server import ScriptedConnection, event_server

# The server asks to come back at once: no test waits for two seconds.
SOON: Final = b"retry: 0\n\n"
RECONNECT: Final = frame("reconnect")
UNAUTHENTICATED: Final = json.dumps(
    {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "code": "not_authenticated",
        "detail": "Send a valid token.",
        "instance": "/api/v1/events",
        "request_id": "1",
        "errors": [],
    }
).encode()
REVOKED: Final = ScriptedConnection(
    [UNAUTHENTICATED], status="401 Unauthorized", kind="application/problem+json"
)


def events_of(url: str, count: int, after: str | None = None) -> list[Event]:
    parley = Parley(url, token="secret", retries=1)
    with parley, parley.events(after=after) as events:
        return list(islice(events, count))


def ids(events: list[Event]) -> list[int]:
    return [event.message.id for event in events if isinstance(event, MessageCreated)]


def test_events_are_distinguished_by_type() -> None:
    type_and_sequence: list[str] = []
    frames = [
        frame("ready", "c0"),
        created(1),
        frame("typing", conversation_id=1, user=ANN, typing=True),
        frame("presence", user=ANN, online=False),
        frame("reset", "c9"),
    ]
    with event_server(ScriptedConnection(frames)) as server:
        for event in events_of(server.url, 5):
            match event:
                case MessageCreated(message=new):
                    type_and_sequence.append(new.content)
                case TypingChanged(user=user, typing=True):
                    type_and_sequence.append(f"{user.username} types")
                case PresenceChanged(user=user, online=False):
                    type_and_sequence.append(f"{user.username} went")
                case Ready() | Reset():
                    type_and_sequence.append(event.type)
                case _:
                    pytest.fail(f"{event}")
    assert type_and_sequence == ["ready", "hello", "ann types", "ann went", "reset"]


@pytest.mark.parametrize(
    "interruption", [b"", b"data: {", created(2)[:-1], created(2)[:20]]
)
def test_a_broken_stream_goes_on_after_the_last_whole_event(
    interruption: bytes,
) -> None:
    parts = (
        ScriptedConnection([SOON, created(1), interruption]),
        ScriptedConnection([created(2), created(3)]),
    )
    with event_server(*parts) as server:
        assert ids(events_of(server.url, 3)) == [1, 2, 3]
    assert server.asked_after == [None, "c1"]


def test_an_event_without_an_id_keeps_the_cursor() -> None:
    typing = frame("typing", conversation_id=1, user=ANN, typing=True)
    with event_server(
        ScriptedConnection([SOON, created(1), typing]), ScriptedConnection([created(2)])
    ) as server:
        events_of(server.url, 3)
    assert server.asked_after == [None, "c1"]


def test_a_stopping_server_is_reconnected_to_at_once() -> None:
    slow = b"retry: 3600000\n\n"
    parts = (
        ScriptedConnection([slow, created(1), RECONNECT]),
        ScriptedConnection([created(2)]),
    )
    with event_server(*parts) as server:
        assert ids(events_of(server.url, 2)) == [1, 2]
    assert server.asked_after == [None, "c1"]


def test_a_stream_begins_after_a_cursor_and_says_where_it_is() -> None:
    with (
        event_server(ScriptedConnection([created(6), created(7)])) as server,
        Parley(server.url, token="secret") as parley,
        parley.events(after="c5") as events,
    ):
        assert events.cursor == "c5"
        next(events)
        assert events.cursor == "c6"
    assert server.asked_after == ["c5"]


def test_unknown_events_of_a_newer_server_are_skipped() -> None:
    unknown = frame("poll.closed", "c1", poll={"id": 1})
    with event_server(
        ScriptedConnection([SOON, unknown]), ScriptedConnection([created(2)])
    ) as server:
        assert ids(events_of(server.url, 1)) == [2]
    assert server.asked_after == [None, "c1"]


def test_a_known_event_that_makes_no_sense_is_an_error() -> None:
    wrong = frame("message.created", "c1", message={"id": "one"})
    with (
        event_server(ScriptedConnection([wrong])) as server,
        pytest.raises(errors.UnexpectedAnswerError),
    ):
        events_of(server.url, 1)


def test_a_stream_ends_when_the_token_is_revoked() -> None:
    with (
        event_server(ScriptedConnection([SOON, created(1)]), REVOKED) as server,
        pytest.raises(errors.NotAuthenticatedError),
    ):
        events_of(server.url, 2)


def test_a_busy_server_is_retried() -> None:
    busy = ScriptedConnection(
        [b"<h1>Oops</h1>"], status="503 Service Unavailable", kind="text/html"
    )
    with event_server(busy, ScriptedConnection([created(1)])) as server:
        assert ids(events_of(server.url, 1)) == [1]


def test_a_quiet_stream_may_break_as_often_as_it_likes() -> None:
    unfinished = ScriptedConnection(
        [b": quiet"], kind="text/event-stream\r\nContent-Length: 99"
    )
    with event_server(*[unfinished] * 4, ScriptedConnection([created(6)])) as server:
        assert ids(events_of(server.url, 1, after="c5")) == [6]
    assert server.asked_after == ["c5"] * 5


def test_a_server_that_was_never_there_is_an_error() -> None:
    with pytest.raises(NoAnswerError):
        events_of("http://127.0.0.1:1", 1)


def test_the_asynchronous_stream_resumes_too() -> None:
    async def listen(url: str) -> list[int]:
        found: list[int] = []
        parley = AsyncParley(url, token="secret")
        async with parley, parley.events() as events:
            async for event in events:
                match event:
                    case AsyncMessageCreated(message=new):
                        found.append(new.id)
                    case _:
                        pass
                if len(found) == 2:
                    break
        return found

    with event_server(
        ScriptedConnection([SOON, created(1)]), ScriptedConnection([created(2)])
    ) as server:
        assert anyio.run(listen, server.url) == [1, 2]
    assert server.asked_after == [None, "c1"]


CUTS: Final[list[Callable[[bytes], list[bytes]]]] = [
    lambda text: [text],
    lambda text: [text[at : at + 1] for at in range(len(text))],
    lambda text: [text[at : at + 7] for at in range(0, len(text), 7)],
]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cut", CUTS)
def test_frames_are_the_same_however_they_are_cut(
    cut: Callable[[bytes], list[bytes]], end: str
) -> None:
    # A line ends where the standard says, not at every character that may end one.
    odd = "one\u2028two\u0085three\x0b\U0001f600"
    lines = [
        *(": a comment", ""),
        *("event: a", "id: 1", f"data: {odd}", "data:two", ""),
        *("retry: 1500", "data", ""),
        *("event: b", "unknown: field", "data:  x", "", ""),
    ]
    decoder = FrameDecoder()
    text = end.join(lines).encode()
    frames = [frame for piece in cut(text) for frame in decoder.feed(piece)]
    assert frames[:2] == [
        Frame("a", f"{odd}\ntwo", "1"),
        Frame("message", "", None),
    ]
    assert frames[2:] == [Frame("b", " x", None)]
    assert decoder.pause == 1.5
