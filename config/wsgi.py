"""The WSGI application that request workers serve."""

import gc
import os
import re
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

if TYPE_CHECKING:
    from _typeshed.wsgi import (
        InputStream,
        StartResponse,
        WSGIApplication,
        WSGIEnvironment,
    )

_CHUNK_BYTES: Final = 64 * 1024
_DRAINED_BYTES: Final = 16 * 1024 * 1024
# Of a form; the only parameter that is needed.
_BOUNDARY: Final = re.compile(r"""\bboundary\s*=\s*("[^"]*"|[^;\s"]+)""", re.IGNORECASE)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def measured(wrapped: "WSGIApplication") -> "WSGIApplication":
    """Read a body that comes in chunks, since Django takes one without a length for none.

    One byte more than is allowed is enough to have it refused as too large.
    """

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        if chunked and not environ.get("CONTENT_LENGTH"):
            body = _read(environ["wsgi.input"])
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return wrapped(environ, start_response)

    return application


def in_utf8(wrapped: "WSGIApplication") -> "WSGIApplication":
    """Take every address and form for UTF-8, whatever a request says of its body.

    Django reads both by the charset of Content-Type. Then one address means this to
    whoever asks and that to a cache; and of some codecs it raises where nobody answers.
    """

    def application(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        kind, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
        if parameters:
            boundary = _BOUNDARY.search(parameters)
            environ["CONTENT_TYPE"] = f"{kind}; {boundary[0]}" if boundary else kind
        return wrapped(environ, start_response)

    return application


def _read(chunks: "InputStream") -> bytes:
    body = chunks.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    # Left unread, the rest would cost the client its connection.
    for _ in range(_DRAINED_BYTES // _CHUNK_BYTES):
        if not chunks.read(_CHUNK_BYTES):
            break
    return body


application = in_utf8(measured(get_wsgi_application()))

# All this stays for good: the collector need not look through it again and again.
# The first request would load every address otherwise.
get_resolver().url_patterns  # noqa: B018
gc.collect()
gc.freeze()
