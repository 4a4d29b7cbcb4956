"""Pages of pieces are one member of gzip, whatever of them was compressed before."""

import gzip
import zlib

import pytest
from django.http import HttpResponse

from edge.pieces import Piece, PiecedResponse, compressed_piece, gzipped, pieces_of

ROWS = b"<li>Tea at four?</li>" * 500


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [Piece(b"")],
        [compressed_piece(b"")],
        [Piece(ROWS)],
        [compressed_piece(ROWS)],
        [Piece(b"before"), compressed_piece(ROWS), Piece(b"after")],
        [compressed_piece(ROWS), compressed_piece(ROWS)],
    ],
)
def test_pieces_are_one_member(pieces: list[Piece]) -> None:
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    shown = reader.decompress(gzipped(pieces, max_padding=100))
    assert shown == b"".join(piece.plain for piece in pieces)
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_what_was_compressed_before_stands_in_the_page_as_it_is() -> None:
    kept = compressed_piece(ROWS)
    assert kept.deflated is not None
    whole = gzipped([Piece(b"before"), kept, Piece(b"after")], max_padding=1)
    assert kept.deflated in whole
    assert len(whole) < 200


def test_a_changed_byte_is_noticed() -> None:
    kept = compressed_piece(ROWS)
    wrong = gzipped([Piece(ROWS.upper(), kept.deflated)], max_padding=1)
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(wrong)


def test_the_length_says_nothing_exact() -> None:
    lengths = {len(gzipped([Piece(ROWS)], max_padding=100)) for _ in range(50)}
    assert len(lengths) > 10


def test_a_response_keeps_its_pieces() -> None:
    pieces = (Piece(b"before"), compressed_piece(ROWS))
    assert pieces_of(PiecedResponse(*pieces)) == pieces
    assert PiecedResponse(*pieces).content == b"before" + ROWS
    assert pieces_of(HttpResponse(b"all")) == (Piece(b"all"),)
