"""Pages of pieces, of which some are kept compressed.

The rows of a conversation are the same for all participants, and most of its page. They
are compressed once, when they are cached; the rest of the page with each response. The
pieces are one member of gzip, since some browsers read only the first of several.
"""

import secrets
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack
from typing import Final

from django.http import HttpResponse

# As Django's middleware does.
_LEVEL: Final = 6
# Deflate, a name follows, no time, no flags, an unknown system.
_HEADER: Final = b"\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\xff"
# An empty block that ends the stream.
_END: Final = b"\x03\x00"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a page; `deflated` is the same, compressed before."""

    plain: bytes
    deflated: bytes | None = None


class PiecedResponse(HttpResponse):
    """A page of pieces, which are kept beside its content, in the page cache as well."""

    def __init__(self, *pieces: Piece) -> None:
        super().__init__(b"".join(piece.plain for piece in pieces))
        self.pieces = pieces


def pieces_of(response: HttpResponse) -> Sequence[Piece]:
    if isinstance(response, PiecedResponse):
        return response.pieces
    return (Piece(response.content),)


def compressed_piece(plain: bytes) -> Piece:
    return Piece(plain, _deflated(plain))


def gzipped(pieces: Sequence[Piece], *, max_padding: int) -> bytes:
    """The pieces as one member of gzip, whose header is longer by a random number of bytes.

    A piece shares no window with another: what an attacker puts into a message is not
    compressed together with the page's token.
    """
    checksum = size = 0
    for piece in pieces:
        checksum = zlib.crc32(piece.plain, checksum)
        size += len(piece.plain)
    padding = b"a" * secrets.randbelow(max_padding) + b"\x00"
    body = (piece.deflated or _deflated(piece.plain) for piece in pieces)
    return b"".join((_HEADER, padding, *body, _END, pack("<LL", checksum, size)))


def _deflated(plain: bytes) -> bytes:
    """Raw deflate that refers to nothing before it, so that more may stand around it."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(plain) + compressor.flush(zlib.Z_FULL_FLUSH)
