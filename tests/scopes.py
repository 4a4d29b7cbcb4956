"""A request as an ASGI server describes it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiref.typing import HTTPScope

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
