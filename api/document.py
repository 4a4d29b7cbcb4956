"""The OpenAPI document, composed once per process.

Composing it takes as long as hundreds of requests, and anyone may ask for it.
"""

import gzip
import hashlib
from dataclasses import dataclass
from threading import Lock
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import re_accepts_gzip
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja.responses import Response

from api.application import api

_KEPT: Final = "public, max-age=60, must-revalidate"


@dataclass(frozen=True, slots=True)
class _Written:
    content: bytes
    etag: str
    encoding: str = ""


class _Document:
    def __init__(self) -> None:
        self._lock = Lock()
        self._written: dict[bool, _Written] = {}

    def written(self, *, compressed: bool) -> _Written:
        # One thread composes the document; others that ask meanwhile wait for it.
        with self._lock:
            if not self._written:
                self._write()
            return self._written[compressed]

    def _write(self) -> None:
        content = Response(api.get_openapi_schema()).content
        digest = hashlib.sha256(content).hexdigest()[:32]
        # Without a timestamp, so that all processes send the same bytes for the same
        # ETag.
        small = gzip.compress(content, mtime=0)
        self._written = {
            False: _Written(content, f'"{digest}"'),
            True: _Written(small, f'"{digest}-gzip"', "gzip"),
        }


_DOCUMENT: Final = _Document()


@csrf_exempt
@require_safe
def openapi_document(request: HttpRequest) -> HttpResponse:
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    compressed = re_accepts_gzip.search(accepted) is not None
    written = _DOCUMENT.written(compressed=compressed)
    response = HttpResponse(written.content, content_type="application/json")
    if written.encoding:
        response["Content-Encoding"] = written.encoding
    response["ETag"] = written.etag
    response["Cache-Control"] = _KEPT
    response["Vary"] = "Accept-Encoding"
    answer = get_conditional_response(request, etag=written.etag, response=response)
    return answer or response
