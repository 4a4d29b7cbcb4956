"""Compression of pages, styles and scripts."""

import gzip
from collections.abc import Iterable
from http import HTTPStatus
from threading import Lock
from typing import Final, cast

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.cache import patch_vary_headers
from typing_extensions import override

from edge.pieces import PiecedResponse, gzipped

# The size of the pieces in which a file is sent. Each piece costs the same, whatever
# its size.
_BLOCK_BYTES: Final = 256 * 1024


class CompressionMiddleware(GZipMiddleware):
    """Compresses pages, styles and scripts, but no event streams.

    For pages, Django adds bytes of random length, so that their size reveals nothing.
    Files hold no secret: each process compresses a file once.
    """

    compressed = ("text/html", "text/css", "text/javascript", "image/svg+xml")

    def process_request(self, request: HttpRequest) -> None:
        # WhiteNoise knows only the ETag of the uncompressed file.
        known = request.META.get("HTTP_IF_NONE_MATCH", "")
        if known.startswith("W/") and _is_file(request):
            request.META["HTTP_IF_NONE_MATCH"] = known.removeprefix("W/")

    @override
    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if isinstance(response, FileResponse) and _is_file(request):
            response.block_size = _BLOCK_BYTES
            is_text = kind.startswith(self.compressed)
            return _compressed_file(request, response) if is_text else response
        if not kind.startswith(self.compressed):
            return response
        if isinstance(response, PiecedResponse):
            return _compressed_pieces(request, response, self.max_random_bytes)
        return super().process_response(request, response)


class _Files:
    """Compressed static files, kept in memory: they are few and do not change."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._compressed: dict[tuple[str, str], bytes] = {}

    def compressed(self, path: str, response: FileResponse) -> bytes:
        key = (path, response.headers.get("ETag", ""))
        # One thread compresses a file; others that want it meanwhile wait for it.
        with self._lock:
            if key not in self._compressed:
                whole = b"".join(cast("Iterable[bytes]", response.streaming_content))
                # Without a timestamp, so that all processes send the same bytes.
                self._compressed[key] = gzip.compress(whole, mtime=0)
            return self._compressed[key]


_FILES: Final = _Files()


def _is_file(request: HttpRequest) -> bool:
    return request.path_info.startswith(settings.STATIC_URL)


def _compressed_pieces(
    request: HttpRequest, response: PiecedResponse, max_padding: int
) -> HttpResponse:
    """What Django's middleware does, but for pieces that are compressed already."""
    patch_vary_headers(response, ("Accept-Encoding",))
    if not _accepts_gzip(request):
        return response
    compressed = gzipped(response.pieces, max_padding=max_padding)
    if len(compressed) < len(response.content):
        response.content = compressed
        _mark_compressed(response)
    return response


def _accepts_gzip(request: HttpRequest) -> bool:
    accepted = request.META.get("HTTP_ACCEPT_ENCODING", "")
    return re_accepts_gzip.search(accepted) is not None


def _mark_compressed(response: HttpResponse) -> None:
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(len(response.content))
    if response.get("ETag", "").startswith('"'):
        # A weak ETag: the bytes are not those of the uncompressed content.
        response["ETag"] = f"W/{response['ETag']}"


def _compressed_file(request: HttpRequest, response: FileResponse) -> HttpResponseBase:
    patch_vary_headers(response, ("Accept-Encoding",))
    if response.status_code != HTTPStatus.OK or not _accepts_gzip(request):
        return response
    compressed = HttpResponse(_FILES.compressed(request.path_info, response))
    response.close()
    for name, value in response.items():
        compressed[name] = value
    _mark_compressed(compressed)
    return compressed
