"""Answers that go on, sent from the event loop."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from api.events.hub import Hub
from api.events.responses import LiveResponse, Start
from api.events.seats import Seats
from api.events.streams import Credential
from config import bridge
from messaging.ids import Position, UserId
from messaging.services.events import Log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
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
    assert seats._taken.total() == 0
    assert caplog.records == []
