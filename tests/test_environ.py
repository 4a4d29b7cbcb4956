"""A request as ASGI has it, as WSGI wants it, and without what Django would misread."""

from typing import TYPE_CHECKING

import pytest
from django.core.handlers.wsgi import WSGIRequest

from config.environ import environ_of

if TYPE_CHECKING:
    from asgiref.typing import HTTPScope


def scope_with(*headers: tuple[bytes, bytes], query: bytes = b"") -> "HTTPScope":
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": "PATCH",
        "scheme": "http",
        "path": "/api/v1/me",
        "raw_path": b"/api/v1/me",
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
        "extensions": {},
    }


def test_a_body_without_a_length_is_read() -> None:
    """As HTTP/2 has it, where nothing says that it comes in pieces."""
    scope = scope_with((b"content-type", b"application/json"))
    assert WSGIRequest(environ_of(scope, b"{}")).body == b"{}"


@pytest.mark.parametrize(
    ("named", "read"),
    [
        ("text/plain; charset=rot13", "text/plain"),
        ("text/plain; charset*=utf-8''rot13", "text/plain"),
        ("multipart/form-data; charset=hex; boundary=X", "multipart/form-data"),
        ("application/json", "application/json"),
    ],
)
def test_an_address_is_utf_8_whatever_charset_is_named(named: str, read: str) -> None:
    scope = scope_with((b"content-type", named.encode()), query="q=ä".encode())
    request = WSGIRequest(environ_of(scope, b""))
    assert (request.GET["q"], request.content_type) == ("ä", read)


def test_the_boundary_of_a_form_is_kept() -> None:
    kind = b'multipart/form-data; boundary="A B"; charset=hex'
    environ = environ_of(scope_with((b"content-type", kind)), b"")
    assert environ["CONTENT_TYPE"] == 'multipart/form-data; boundary="A B"'


def test_cookies_are_read_in_a_time_that_grows_as_they_do() -> None:
    hostile = b'a="' + b"\\101" * 1000 + b'"; sessionid=abc'
    environ = environ_of(scope_with((b"cookie", hostile)), b"")
    assert environ["HTTP_COOKIE"] == 'a="' + "101" * 1000 + '"; sessionid=abc'
