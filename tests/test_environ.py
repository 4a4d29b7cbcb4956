"""A request as ASGI has it, as WSGI wants it."""

from typing import TYPE_CHECKING

from django.core.handlers.wsgi import WSGIRequest

from config.environ import environ_of

if TYPE_CHECKING:
    from asgiref.typing import HTTPScope


def test_a_body_without_a_length_is_read() -> None:
    """As HTTP/2 has it, where nothing says that it comes in pieces."""
    scope: HTTPScope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": "PATCH",
        "scheme": "http",
        "path": "/api/v1/me",
        "raw_path": b"/api/v1/me",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
        "extensions": {},
    }
    assert WSGIRequest(environ_of(scope, b"{}")).body == b"{}"
