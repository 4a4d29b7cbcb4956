"""Answers that go on, sent from the event loop."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from api.events.hub import Hub
from api.events.responses import LiveResponse, Start
from api.events.seats import Seats
from api.events.streams import Credential
from config import bridge
from config.threads import RequestThreads
from messaging.ids import Position, UserId
from messaging.services.events import Log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from asgiref.typing import (
        ASGIReceiveEvent,
        ASGISendEvent,
        HTTPScope,
    )

ANN = UserId(1)
SCOPE: "HTTPScope" = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "root_path": "",
    "headers": [],
    "client": None,
    "server": None,
    "state": {},
    "extensions": {},
}


class OneWord(LiveResponse):
    @override
    async def live(self, hub: Hub) -> AsyncGenerator[bytes, None]:
        yield b"Hello"

    @override
    def _at_once(self) -> Iterator[bytes]:
        yield b"Hello"


async def answer_nobody(seats: Seats) -> None:
    """To a client that is there and takes nothing."""
    asked: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
    asked.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> LiveResponse:
        credential = Credential(ANN, None, None, "")
        log = Log(Position(0), Position(0), 0)
        start_response("200 OK", [])
        return OneWord(Start(credential, seats.take(ANN), log, None), "text/plain")

    async def send(event: "ASGISendEvent") -> None:
        if event["type"] == "http.response.body":
            await asyncio.Event().wait()

    bridged = bridge.Bridge(application)
    await bridged(SCOPE, asked.get, send)
    hub = bridged._hub
    assert hub is not None
    await hub.close()


def test_a_client_that_takes_nothing_is_let_go_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bridge, "_STUCK_SECONDS", 0.0)
    seats = Seats()
    with caplog.at_level(logging.WARNING):
        asyncio.run(answer_nobody(seats))
    assert seats.taken() == 0
    assert caplog.records == []


async def answer(application: "WSGIApplication", *events: "ASGIReceiveEvent") -> bytes:
    """The body of what a request with these events is answered with."""
    length = (b"content-length", b"2")
    scope: HTTPScope = {**SCOPE, "headers": [length] if events else []}
    asked, sent = iter(events), list[bytes]()

    async def receive() -> "ASGIReceiveEvent":
        return next(asked)

    async def send(event: "ASGISendEvent") -> None:
        if event["type"] == "http.response.body":
            sent.append(event["body"])

    await bridge.Bridge(application)(scope, receive, send)
    return b"".join(sent)


def echo(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def test_a_body_is_awaited_only_where_one_is_announced() -> None:
    first: ASGIReceiveEvent = {"type": "http.request", "body": b"H", "more_body": True}
    last: ASGIReceiveEvent = {"type": "http.request", "body": b"i", "more_body": False}
    assert asyncio.run(answer(echo, first, last)) == b"Hi"
    assert asyncio.run(answer(echo)) == b""


def test_what_an_application_raises_reaches_the_server() -> None:
    def broken(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> list[bytes]:
        raise LookupError

    with pytest.raises(LookupError):
        asyncio.run(answer(broken))


def test_threads_do_what_waits_for_them_before_they_end() -> None:
    threads, begun, done = RequestThreads(1), Event(), list[int]()

    async def submit() -> None:
        threads.submit(begun.wait)
        for number in range(3):
            threads.submit(partial(done.append, number))

    asyncio.run(submit())
    begun.set()
    threads.close()
    assert done == [0, 1, 2]


def test_closed_threads_take_nothing_more() -> None:
    threads = RequestThreads(1)

    async def submit() -> None:
        threads.submit(list)

    asyncio.run(submit())
    threads.close()
    with pytest.raises(RuntimeError):
        asyncio.run(submit())
