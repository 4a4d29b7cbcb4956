"""Runs the WSGI application under ASGI: requests in threads, event streams in the event loop.

Every request goes through the WSGI application and its middleware. If the response is
live, its thread becomes free, and the event loop sends the rest. `config.dispatch`
chooses the thread.
"""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING, Final

from api.events.fan_out import FanOut
from api.events.responses import LiveResponse
from config.dispatch import Dispatcher, is_answered_in_loop
from config.environ import SlowBodyError, environ_of, has_body, read_body
from config.housekeeping import start_housekeeping
from config.slow_clients import SlowClientWatch
from config.worker_pools import PoolFullError
from edge.health import ARRIVED
from edge.middleware import REFUSAL
from edge.problems import OVERLOADED, SLOW_BODY, Fault

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

logger = logging.getLogger(__name__)

# A client that reads nothing for so many seconds counts as disconnected.
_STUCK_SECONDS: Final = 60.0


@dataclass(slots=True)
class _Answer:
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: Iterable[bytes] = ()

    def start(
        self, status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> Callable[[bytes], object]:
        self.status = int(status[:3])
        # Django puts a blank before the value of Set-Cookie, which strict HTTP/2
        # clients refuse.
        self.headers = [
            (name.lower().encode("latin-1"), value.strip(" \t").encode("latin-1"))
            for name, value in headers
        ]
        return _unwritable

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self.body, "close", None)
        if close is not None:
            close()


class AsgiToWsgi:
    """An ASGI application that calls a WSGI application."""

    def __init__(self, wsgi: "WSGIApplication") -> None:
        self._wsgi = wsgi
        self._dispatcher = Dispatcher()
        self._slow_clients = SlowClientWatch()
        self._fan_out: FanOut | None = None

    async def __call__(
        self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)

    async def _request(
        self,
        scope: "HTTPScope",
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
    ) -> None:
        if scope["server"] and (port := scope["server"][1]):
            # granian passes a string, where the ASGI standard demands a number.
            self._slow_clients.ports.add(int(port))
        answer = await self._answer(scope, receive)
        if isinstance(answer.body, LiveResponse):
            await self._send_live_response(answer, answer.body, receive, send)
        elif isinstance(answer.body, list):
            await _send_whole(answer, send)
        else:
            await self._stream(answer, receive, send)

    async def _answer(
        self, scope: "HTTPScope", receive: "ASGIReceiveCallable"
    ) -> _Answer:
        try:
            body = await read_body(receive) if has_body(scope) else b""
        except SlowBodyError:
            return self._refused(scope, SLOW_BODY)
        if body is None:
            # The body broke off. The client may have sent it in an invalid form, and
            # still wait for an answer.
            return _Answer(HTTPStatus.BAD_REQUEST)
        if is_answered_in_loop(scope):
            return self._answered(environ_of(scope, body))
        return await self._answer_in_thread(scope, body)

    async def _answer_in_thread(self, scope: "HTTPScope", body: bytes) -> _Answer:
        arrived = time.monotonic()

        def answered() -> _Answer:
            return self._answered({**environ_of(scope, body), ARRIVED: arrived})

        try:
            return await self._dispatcher.answer(scope, answered)
        except PoolFullError:
            return self._refused(scope, OVERLOADED)

    def _refused(self, scope: "HTTPScope", fault: Fault) -> _Answer:
        """Answer a request that the server refuses; in the event loop, without thread and
        database.
        """
        return self._answered({**environ_of(scope, b""), REFUSAL: fault})

    def _answered(self, environ: "WSGIEnvironment") -> _Answer:
        """Call the WSGI application, and read the whole body unless it is streamed."""
        answer = _Answer()
        answer.body = self._wsgi(environ, answer.start)
        if isinstance(answer.body, LiveResponse):
            answer.body.hand_over()
        elif not getattr(answer.body, "streaming", False):
            whole = list(answer.body)
            answer.close()
            answer.body = whole
        return answer

    async def _stream(
        self,
        answer: _Answer,
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
    ) -> None:
        """Send an answer piece by piece; threads make the pieces, and no thread waits for
        the client.

        When the client disconnects, no further piece is made. The present piece is
        awaited, since the answer can be closed only after it.
        """
        pieces = iter(answer.body)
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await _start(answer, send)
            while not gone.done():
                piece = await self._dispatcher.streams.submit(
                    lambda: next(pieces, None)
                )
                if piece is None:
                    await _send_piece(send, b"", more=False)
                    return
                await _send_unless_gone(gone, _send_piece(send, piece))
        finally:
            gone.cancel()
            await self._dispatcher.streams.submit(answer.close)

    async def _send_live_response(
        self,
        answer: _Answer,
        response: LiveResponse,
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
    ) -> None:
        """Send a live response until it ends or its client disconnects."""
        # Created with the first stream, since it belongs to the running event loop.
        self._fan_out = self._fan_out or FanOut()
        tasks = (
            asyncio.ensure_future(
                _send_live(answer, response.live(self._fan_out), send)
            ),
            asyncio.ensure_future(_until_gone(receive)),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                # A timeout means that the client stopped reading: no error of ours.
                if isinstance(outcome, Exception) and not isinstance(
                    outcome, TimeoutError
                ):
                    logger.error("A stream broke off.", exc_info=outcome)
            response.start.slot.release()

    async def _lifespan(
        self, receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        await receive()
        self._close_streams_on_signal()
        self._slow_clients.start()
        start_housekeeping()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._fan_out is not None:
            await self._fan_out.close()
        await asyncio.to_thread(self._dispatcher.close)
        self._slow_clients.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def _close_streams_on_signal(self) -> None:
        """Close the streams on SIGTERM and SIGINT: the server waits for open responses
        before it stops.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def handle(
                number: int, frame: FrameType | None, before: object = before
            ) -> None:
                loop.call_soon_threadsafe(self._close_streams)
                if callable(before):
                    before(number, frame)

            signal.signal(number, handle)
            # Let interrupted system calls restart, as the event loop had set it.
            signal.siginterrupt(number, False)  # noqa: FBT003  # takes no name

    def _close_streams(self) -> None:
        if self._fan_out is not None:
            self._fan_out.shut_down()


async def _send_live(
    answer: _Answer, chunks: AsyncGenerator[bytes, None], send: "ASGISendCallable"
) -> None:
    await _start(answer, send)
    async with aclosing(chunks):
        async for chunk in chunks:
            await _send_piece(send, chunk)
    await _send_piece(send, b"", more=False)


async def _until_gone(receive: "ASGIReceiveCallable") -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_unless_gone(
    gone: asyncio.Future[None], sending: Coroutine[None, None, None]
) -> None:
    """Send, but stop waiting when the client is gone."""
    sent = asyncio.ensure_future(sending)
    try:
        await asyncio.wait((gone, sent), return_when=asyncio.FIRST_COMPLETED)
        if sent.done():
            sent.result()
    finally:
        sent.cancel()


async def _start(answer: _Answer, send: "ASGISendCallable") -> None:
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": answer.headers,
            "trailers": False,
        }
    )


async def _send_whole(answer: _Answer, send: "ASGISendCallable") -> None:
    await _start(answer, send)
    body = b"".join(answer.body)
    # One message: the server buffers it whole, so that no slow client occupies us.
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_piece(
    send: "ASGISendCallable", piece: bytes, *, more: bool = True
) -> None:
    async with asyncio.timeout(_STUCK_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": more})


def _unwritable(data: bytes) -> None:
    raise NotImplementedError("Django returns bodies, and writes none.")
