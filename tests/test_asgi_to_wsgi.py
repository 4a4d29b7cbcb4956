"""Answers that go on, sent from the event loop."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

import pytest
from django.http import StreamingHttpResponse
from typing_extensions import override

from api.events.credentials import Credential
from api.events.fan_out import FanOut
from api.events.responses import LiveResponse, Start
from api.events.stream_slots import StreamSlots
from config import asgi_to_wsgi
from config.threads import RequestThreads
from messaging.ids import Position, UserId
from messaging.services.events import Log
from tests.scopes import SCOPE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from asgiref.typing import ASGIReceiveEvent, ASGISendEvent, HTTPScope

ANN = UserId(1)


class OneWord(LiveResponse):
    @override
    async def live(self, fan_out: FanOut) -> AsyncGenerator[bytes, None]:
        yield b"Hello"

    @override
    def _at_once(self) -> Iterator[bytes]:
        yield b"Hello"


async def answer_nobody(slots: StreamSlots) -> None:
    """To a client that is there and takes nothing."""
    asked: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
    asked.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> LiveResponse:
        credential = Credential(ANN, None, None, "")
        log = Log(Position(0), Position(0), 0)
        start_response("200 OK", [])
        return OneWord(Start(credential, slots.take(ANN), log, None), "text/plain")

    async def send(event: "ASGISendEvent") -> None:
        if event["type"] == "http.response.body":
            await asyncio.Event().wait()

    bridged = asgi_to_wsgi.AsgiToWsgi(application)
    await bridged(SCOPE, asked.get, send)
    fan_out = bridged._fan_out
    assert fan_out is not None
    await fan_out.close()


def test_a_client_that_reads_nothing_is_disconnected_silently(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(asgi_to_wsgi, "_STUCK_SECONDS", 0.0)
    slots = StreamSlots()
    with caplog.at_level(logging.WARNING):
        asyncio.run(answer_nobody(slots))
    assert slots.taken() == 0
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

    await asgi_to_wsgi.AsgiToWsgi(application)(scope, receive, send)
    return b"".join(sent)


def streamed(pieces: Iterator[bytes]) -> "WSGIApplication":
    """Answers with pieces that are made one by one."""

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> StreamingHttpResponse:
        start_response("200 OK", [])
        return StreamingHttpResponse(pieces)

    return application


class Pieces(Iterator[bytes]):
    """Many; counts how many were asked for."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = False

    @override
    def __next__(self) -> bytes:
        if self.made == 1000:
            raise StopIteration
        self.made += 1
        return b"piece"

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("takes", [True, False])
def test_a_streamed_answer_ends_when_its_client_is_gone(takes: bool) -> None:
    """Also when the client goes in the middle of a piece, which never gets through."""
    pieces = Pieces()

    async def answer_who_goes() -> None:
        gone = asyncio.Event()

        async def receive() -> "ASGIReceiveEvent":
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(event: "ASGISendEvent") -> None:
            if pieces.made == 3:
                gone.set()
                if not takes:
                    await asyncio.Event().wait()

        await asgi_to_wsgi.AsgiToWsgi(streamed(pieces))(SCOPE, receive, send)

    asyncio.run(answer_who_goes())
    assert pieces.closed
    assert pieces.made <= 4


def test_a_streamed_answer_is_whole_for_who_stays() -> None:
    async def answer_who_stays() -> bytes:
        sent = list[bytes]()

        async def receive() -> "ASGIReceiveEvent":
            await asyncio.Event().wait()
            raise AssertionError

        async def send(event: "ASGISendEvent") -> None:
            if event["type"] == "http.response.body":
                sent.append(event["body"])

        application = streamed(iter([b"a", b"b", b"c"]))
        await asgi_to_wsgi.AsgiToWsgi(application)(SCOPE, receive, send)
        return b"".join(sent)

    assert asyncio.run(answer_who_stays()) == b"abc"


def echo(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def test_a_body_is_awaited_only_where_one_is_announced() -> None:
    first: ASGIReceiveEvent = {"type": "http.request", "body": b"H", "more_body": True}
    last: ASGIReceiveEvent = {"type": "http.request", "body": b"i", "more_body": False}
    assert asyncio.run(answer(echo, first, last)) == b"Hi"
    assert asyncio.run(answer(echo)) == b""


def test_no_value_of_a_header_has_a_blank_around_it() -> None:
    """Strict clients of HTTP/2 refuse the one with which Django begins a cookie."""

    def with_cookie(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> list[bytes]:
        start_response("200 OK", [("Set-Cookie", " csrftoken=x; Path=/")])
        return []

    async def headers() -> list[tuple[bytes, bytes]]:
        sent: list[tuple[bytes, bytes]] = []

        async def send(event: "ASGISendEvent") -> None:
            if event["type"] == "http.response.start":
                sent.extend(event["headers"])

        await asgi_to_wsgi.AsgiToWsgi(with_cookie)(SCOPE, asyncio.Queue().get, send)
        return sent

    assert asyncio.run(headers()) == [(b"set-cookie", b"csrftoken=x; Path=/")]


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
