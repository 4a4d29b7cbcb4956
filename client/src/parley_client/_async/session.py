"""Sends requests, and repeats them until they are answered."""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import anyio
import httpx
from pydantic import ValidationError
from typing_extensions import override

from parley_client.attempts import Answers, Attempts
from parley_client.base import IDEMPOTENCY_KEY, Model, Request
from parley_client.errors import UnexpectedAnswerError

Answer = TypeVar("Answer", bound=Model)
Anything = TypeVar("Anything")

_PREFIX: Final = "/api/v1"


class AsyncSession:
    """The connections to a server, with the token of one user."""

    def __init__(
        self, url: str, token: str | None, *, timeout: float, retries: int
    ) -> None:
        """Opens no connection yet.

        Raises:
            ValueError: the URL has no scheme or host, or contains a password; or the
                token is not printable ASCII.
        """
        self.url = _checked_url(url)
        self.token = _checked_token(token)
        self.timeout = timeout
        self.retries = retries
        self._answers = Answers()
        self._http = httpx.AsyncClient(
            base_url=f"{self.url}{_PREFIX}",
            headers={} if token is None else {"Authorization": f"Bearer {token}"},
            timeout=timeout,
        )

    async def read(
        self,
        request: Request[Answer],
        answer: type[Answer],
        *,
        silence: float | None = None,
    ) -> Answer:
        """Send a request and parse its answer; `silence` as for `opened`.

        Raises:
            RefusedError: the server refused the request.
            NoAnswerError, UnexpectedAnswerError
        """
        response = await self._answered(request, silence)
        try:
            return answer.model_validate_json(response.content, context=self)
        except ValidationError as error:
            raise UnexpectedAnswerError(
                response.status_code, f"The answer is no {answer.__name__}"
            ) from error

    async def do(self, request: Request[None]) -> None:
        """Send a request whose answer has no body.

        Raises:
            RefusedError: the server refused the request.
            NoAnswerError, UnexpectedAnswerError
        """
        await self._answered(request)

    @asynccontextmanager
    async def opened(
        self,
        request: Request[Anything],
        *,
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Send a request once; yield the response before its body is read.

        `silence` is the number of seconds without a byte after which the server counts
        as gone; by default the session's timeout.
        """
        async with self._http.stream(
            request.method,
            request.path,
            params=_given(request.query),
            content=_body(request.body),
            headers={**_headers(request), **(headers or {})},
            timeout=httpx.Timeout(self.timeout, read=silence or self.timeout),
        ) as response:
            self._answers.accept(response)
            yield response

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _answered(
        self, request: Request[Anything], silence: float | None = None
    ) -> httpx.Response:
        attempts = Attempts(request, self.retries)
        # One key for all attempts, so that the server executes only one of them.
        key = {IDEMPOTENCY_KEY: secrets.token_urlsafe()} if request.is_keyed else {}
        headers = {**key, **_headers(request)}
        while True:
            wait: float | None
            try:
                async with self.opened(
                    request, headers=headers, silence=silence
                ) as response:
                    await response.aread()
            except httpx.RequestError as error:
                wait = attempts.after_failure(error)
            else:
                if response.is_success:
                    return response
                wait = attempts.after_refusal(response)
                if wait is None:
                    return response
            await anyio.sleep(wait)

    @override
    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"


def _given(query: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in query.items() if value is not None}


def _headers(request: Request[Anything]) -> dict[str, str]:
    given = {
        name: value for name, value in request.headers.items() if value is not None
    }
    return given if request.body is None else {**given, "Content-Type": _JSON}


def _body(body: Model | None) -> bytes | None:
    return None if body is None else body.model_dump_json(exclude_none=True).encode()


def _checked_url(url: str) -> str:
    parsed = httpx.URL(url)
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
        raise ValueError(
            "The URL is like https://chat.example.org, without a password."
        )
    return str(parsed).rstrip("/").removesuffix(_PREFIX)


def _checked_token(token: str | None) -> str | None:
    if token is not None and not (token.isascii() and token.isprintable() and token):
        # The message must not quote the value: even a malformed token is a secret.
        raise ValueError("A token is printable ASCII.")
    return token


_JSON: Final = "application/json"
