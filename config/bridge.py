"""From ASGI to WSGI: requests are answered in threads, what waits does so in the loop.

Every request goes through the WSGI application, with all that stands around it:
there is one way in. Where the answer is live, the thread is done with it, and the
rest is sent from the event loop.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from types import FrameType
from typing import TYPE_CHECKING, Final

from api.events.hub import Hub
from api.events.responses import LiveResponse
from config.environ import environ_of, has_body, read_body
from config.threads import RequestThreads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from asgiref.typing import (
        ASGIReceiveCallable,
        ASGISendCallable,
        HTTPScope,
        Scope,
    )

logger = logging.getLogger(__name__)

_THREADS: Final = 4
# A client that takes nothing for so long is gone.
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
        self.headers = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers
        ]
        return _unwritable

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self.body, "close", None)
        if close is not None:
            close()


class Bridge:
    """An ASGI application around a WSGI application."""

    def __init__(self, wsgi: "WSGIApplication") -> None:
        self._wsgi = wsgi
        self._threads = RequestThreads(_THREADS)
        self._hub: Hub | None = None

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
        body = await read_body(receive) if has_body(scope) else b""
        if body is None:
            # Whoever sent what is no body may still be there to be told.
            await _send_whole(_Answer(HTTPStatus.BAD_REQUEST), send)
            return
        answer = await self._threads.submit(
            lambda: self._answered(environ_of(scope, body))
        )
        if isinstance(answer.body, LiveResponse):
            await self._go_on(answer, answer.body, receive, send)
        elif isinstance(answer.body, list):
            await _send_whole(answer, send)
        else:
            await self._stream(answer, send)

    def _answered(self, environ: "WSGIEnvironment") -> _Answer:
        """In a thread: all of an answer, unless it is streamed."""
        answer = _Answer()
        answer.body = self._wsgi(environ, answer.start)
        if isinstance(answer.body, LiveResponse):
            answer.body.hand_over()
        elif not getattr(answer.body, "streaming", False):
            whole = list(answer.body)
            answer.close()
            answer.body = whole
        return answer

    async def _stream(self, answer: _Answer, send: "ASGISendCallable") -> None:
        """Each piece is made in whatever thread is free: none waits for the client."""
        pieces = iter(answer.body)
        try:
            await _start(answer, send)
            while (
                piece := await self._threads.submit(lambda: next(pieces, None))
            ) is not None:
                await _send_piece(send, piece)
            await _send_piece(send, b"", more=False)
        finally:
            await self._threads.submit(answer.close)

    async def _go_on(
        self,
        answer: _Answer,
        response: LiveResponse,
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
    ) -> None:
        """Send what is live until it is over or nobody is there any more."""
        self._hub = self._hub or Hub()
        tasks = (
            asyncio.ensure_future(_send_live(answer, response.live(self._hub), send)),
            asyncio.ensure_future(_until_gone(receive)),
        )
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                # Of a client that takes nothing any more there is nothing to tell.
                if isinstance(outcome, Exception) and not isinstance(
                    outcome, TimeoutError
                ):
                    logger.error("A stream broke off.", exc_info=outcome)
            response.start.seat.release()

    async def _lifespan(
        self, receive: "ASGIReceiveCallable", send: "ASGISendCallable"
    ) -> None:
        await receive()
        self._heed_signals()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._hub is not None:
            await self._hub.close()
        await asyncio.to_thread(self._threads.close)
        await send({"type": "lifespan.shutdown.complete"})

    def _heed_signals(self) -> None:
        """Let go of the streams as soon as the server is to stop: it waits for them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def heed(
                number: int, frame: FrameType | None, before: object = before
            ) -> None:
                loop.call_soon_threadsafe(self._let_go)
                if callable(before):
                    before(number, frame)

            signal.signal(number, heed)
            # As the event loop has it, which hears of the signal all the same.
            signal.siginterrupt(number, False)  # noqa: FBT003  # takes no name

    def _let_go(self) -> None:
        if self._hub is not None:
            self._hub.shut_down()


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
    # The server takes all of it at once, however slow the client is.
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _send_piece(
    send: "ASGISendCallable", piece: bytes, *, more: bool = True
) -> None:
    async with asyncio.timeout(_STUCK_SECONDS):
        await send({"type": "http.response.body", "body": piece, "more_body": more})


def _unwritable(data: bytes) -> None:
    raise NotImplementedError("Django returns bodies, and writes none.")
