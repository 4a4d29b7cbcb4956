"""A request as ASGI has it, as WSGI wants it."""

import sys
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from django.conf import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from asgiref.typing import ASGIReceiveCallable, HTTPScope

# More of a body is read and dropped, up to so much: cut off in the middle of it, many
# clients would not see the refusal.
_DRAINED_BYTES: Final = 16 * 1024 * 1024


def has_body(scope: "HTTPScope") -> bool:
    """Whether one may come: asking the server for none takes as long as all else here."""
    if not scope["http_version"].startswith("1"):
        return True
    names = [name for name, _ in scope["headers"]]
    return b"content-length" in names or b"transfer-encoding" in names


async def read_body(receive: "ASGIReceiveCallable") -> bytes | None:
    """The body, or so much of it that it is refused as too large; None if it broke off."""
    kept, length, more = [], 0, True
    while more and length <= _DRAINED_BYTES:
        event = await receive()
        if event["type"] != "http.request":
            return None
        piece = event["body"]
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            kept.append(piece)
        length += len(piece)
        more = event["more_body"]
    return b"".join(kept)


def environ_of(scope: "HTTPScope", body: bytes) -> "WSGIEnvironment":
    client, server = scope["client"], scope["server"]
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server[0] if server else "",
        "SERVER_PORT": str(server[1] if server else ""),
        "REMOTE_ADDR": client[0] if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    # In chunks or over HTTP/2, it may come without; Django would take it for empty.
    environ.setdefault("CONTENT_LENGTH", str(len(body)))
    return environ


def _add_header(environ: "WSGIEnvironment", name: str, value: str) -> None:
    # It would pass for the one with hyphens, which a proxy may have set.
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        key = f"HTTP_{key}"
    joint = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
