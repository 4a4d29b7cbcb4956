"""A server that has no room for a request has not begun it."""

from http import HTTPStatus

import httpx
import orjson
import pytest

from parley_client import errors
from parley_client.attempts import Attempts
from parley_client.base import Request


def busy(code: str) -> httpx.Response:
    problem = {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": HTTPStatus.SERVICE_UNAVAILABLE,
        "code": code,
        "detail": "",
        "instance": "/",
        "request_id": "1",
        "errors": [],
    }
    headers = {"Retry-After": "2", "Content-Type": "application/problem+json"}
    return httpx.Response(503, headers=headers, content=orjson.dumps(problem))


def sign_in(limit: int) -> Attempts[object]:
    """Which is not safe to repeat where it may have been done."""
    return Attempts(Request("auth_create_token", "POST", "/auth/tokens"), limit)


def test_a_request_refused_by_an_overloaded_server_is_retried() -> None:
    attempts = sign_in(limit=2)
    for _ in range(2):
        wait = attempts.after_refusal(busy("overloaded"))
        assert wait is not None
        assert wait >= 2
    with pytest.raises(errors.OverloadedError):
        attempts.after_refusal(busy("overloaded"))


def test_a_request_that_may_have_been_processed_is_not_retried() -> None:
    with pytest.raises(errors.DatabaseUnavailableError):
        sign_in(limit=2).after_refusal(busy("database_unavailable"))
