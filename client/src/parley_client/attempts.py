"""Retries: whether a request is sent again, and after which pause."""

import random
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Final, Generic, TypeVar

import httpx

from parley_client.base import Request
from parley_client.errors import (
    NoAnswerError,
    OverloadedError,
    ParleyError,
    RateLimitedError,
    RefusedError,
    ServerError,
    UnexpectedAnswerError,
    header,
    refusal,
    retry_after,
)

Answer_contra = TypeVar("Answer_contra", contravariant=True)

# In seconds: the first pause between two attempts, and the longest one.
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 8.0
# If the server asks for a longer wait than this, its error is raised at once.
_LONGEST_WAIT: Final = 60.0

_REMEMBERED: Final = 10_000

_WORTH_REPEATING: Final = frozenset(
    {
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)


@dataclass(slots=True)
class Attempts(Generic[Answer_contra]):
    """The attempts at one request so far."""

    request: Request[Answer_contra]
    limit: int
    made: int = 0
    # Whether an attempt may have succeeded although its response was lost.
    lost: bool = False

    def after_failure(self, error: httpx.RequestError) -> float:
        """Seconds to wait before the next attempt, after one without an answer.

        Raises:
            NoAnswerError: no attempt is left, or repeating could execute the request
                twice.
        """
        # Without a connection, the server cannot have received the request.
        if not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            self.lost = True
        if self._is_last():
            raise NoAnswerError(
                f"No answer to {self.request.operation}: {type(error).__name__}"
            ) from error
        return pause(self.made)

    def after_refusal(self, response: httpx.Response) -> float | None:
        """Seconds to wait before the next attempt; None if an earlier one has succeeded.

        Raises:
            RefusedError, UnexpectedAnswerError: another attempt is pointless, or none
                is left.
        """
        error = refusal(response)
        if self.lost and isinstance(error, RefusedError) and self._is_done(error):
            return None
        wait = retry_after(response) or 0.0
        again = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        if response.status_code in _WORTH_REPEATING:
            again = True
            # The server answers "overloaded" before it starts a request, so that the
            # attempt had no effect.
            self.lost = self.lost or not isinstance(error, OverloadedError)
        if not again or wait > _LONGEST_WAIT or self._is_last():
            raise error
        return max(wait, pause(self.made))

    def _is_last(self) -> bool:
        self.made += 1
        safe = self.request.is_safe_to_repeat or not self.lost
        return self.made > self.limit or not safe

    def _is_done(self, error: RefusedError) -> bool:
        """Whether this error of a repetition shows that a lost attempt has succeeded.

        A repeated DELETE, for example, is a 404.
        """
        if self.request.method != "DELETE":
            return False
        return error.status == HTTPStatus.NOT_FOUND or (
            self.request.operation,
            error.code,
        ) in {
            ("messages_delete", "message_deleted"),
            ("auth_revoke_current_token", "not_authenticated"),
        }


@dataclass(slots=True)
class Reconnections:
    """Reconnecting a stream: without a limit, once the stream was open."""

    limit: int
    # Failures since the last event. Opening a stream does not reset it: a server that
    # accepts streams and drops them must not be hammered.
    failures: int = 0
    was_open: bool = False

    def after(self, error: ParleyError | httpx.RequestError) -> float:
        """Seconds to wait before the next attempt.

        Raises:
            RefusedError, UnexpectedAnswerError: another attempt would fail alike.
            NoAnswerError: the stream was never open, and no attempt is left.
        """
        self.failures += 1
        hopeless = not self.was_open and self.failures > self.limit
        if isinstance(error, httpx.RequestError):
            if hopeless:
                raise NoAnswerError(
                    f"No stream of events: {type(error).__name__}"
                ) from error
            return pause(self.failures)
        if hopeless or not _may_pass(error):
            raise error
        asked = error.retry_after if isinstance(error, RefusedError) else None
        return max(asked or 0.0, pause(self.failures))


def _may_pass(error: ParleyError) -> bool:
    if isinstance(error, UnexpectedAnswerError):
        return error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, RateLimitedError | ServerError)


def pause(made: int) -> float:
    """Exponential backoff with jitter."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(made, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  # no secret


@dataclass(slots=True)
class Answers:
    """The request ids of responses seen so far.

    Some proxies repeat a response. Then each later response on the connection would be
    taken for that of the next request.
    """

    _known: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def accept(self, response: httpx.Response) -> None:
        """Note the request id of a response, before its body is read.

        Raises:
            RemoteProtocolError: an earlier response had the same id.
        """
        request_id = header(response, "X-Request-ID")
        if request_id is None:
            return
        with self._lock:
            if request_id in self._known:
                raise httpx.RemoteProtocolError(
                    "An earlier answer came again.", request=response.request
                )
            self._known[request_id] = None
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
