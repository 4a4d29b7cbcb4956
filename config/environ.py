"""Converts ASGI scopes to WSGI environs, and drops headers that Django would misread."""

import asyncio
import re
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from django.conf import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from asgiref.typing import ASGIReceiveCallable, HTTPScope

# A body that is too large is read and dropped, up to this size: if it were cut off,
# many clients would not see the refusal.
_DRAINED_BYTES: Final = 16 * 1024 * 1024
# The boundary of a form is the only parameter of a Content-Type that is needed.
_BOUNDARY: Final = re.compile(r"""\bboundary\s*=\s*("[^"]*"|[^;\s"]+)""", re.IGNORECASE)


def has_body(scope: "HTTPScope") -> bool:
    """Whether the request may have a body. Asking the server for it takes long, so it is
    avoided.
    """
    if not scope["http_version"].startswith("1"):
        return True
    names = [name for name, _ in scope["headers"]]
    return b"content-length" in names or b"transfer-encoding" in names


class SlowBodyError(Exception):
    """The body did not arrive within `PARLEY_BODY_SECONDS`."""


async def read_body(receive: "ASGIReceiveCallable") -> bytes | None:
    """Read the body; None if it broke off.

    A body that is too large is cut; Django then refuses it.

    Raises:
        SlowBodyError
    """
    try:
        async with asyncio.timeout(settings.PARLEY_BODY_SECONDS):
            return await _read(receive)
    except TimeoutError:
        raise SlowBodyError from None


async def _read(receive: "ASGIReceiveCallable") -> bytes | None:
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
    _drop_charset(environ)
    _drop_backslashes(environ)
    # A chunked or HTTP/2 request may lack this header; Django would take its body for
    # empty.
    environ.setdefault("CONTENT_LENGTH", str(len(body)))
    return environ


def _add_header(environ: "WSGIEnvironment", name: str, value: str) -> None:
    # `X_Real_Ip` would become the same key as `X-Real-Ip`, which a proxy may have set.
    if "_" in name:
        return
    key = name.upper().replace("-", "_")
    if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
        key = f"HTTP_{key}"
    # A header that is sent several times is one list; HTTP/2 may split cookies.
    joint = "; " if key == "HTTP_COOKIE" else ","
    environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value


def _drop_charset(environ: "WSGIEnvironment") -> None:
    """Make every address and form UTF-8, whatever the request's Content-Type says.

    Django decodes both by the charset of Content-Type. Then one address could mean
    different things to the view and to a cache; and some codecs raise where nothing
    handles the error.
    """
    kind, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    if parameters:
        boundary = _BOUNDARY.search(parameters)
        environ["CONTENT_TYPE"] = f"{kind}; {boundary[0]}" if boundary else kind


def _drop_backslashes(environ: "WSGIEnvironment") -> None:
    """Remove backslashes from the Cookie header; no valid cookie has one.

    Python before 3.11.10 and 3.12.6 takes quadratic time to parse them: seconds for one
    request.
    """
    if "\\" in (cookies := environ.get("HTTP_COOKIE", "")):
        environ["HTTP_COOKIE"] = cookies.replace("\\", "")
