"""Files of lines, plain or gzipped: read in bounded memory, written atomically."""

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Final

from messaging.import_export.errors import FileAccessError
from messaging.import_export.lines import MAX_LINE_BYTES
from messaging.temporary_files import temporary_file_beside

# Called with the progress since the last call: bytes read, or messages written.
Advance = Callable[[int], object]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def file_size(path: Path) -> int:
    """The size of a file in bytes, before unpacking.

    Raises:
        FileAccessError: the file is missing, or is no regular file.
    """
    try:
        if path.is_dir():
            raise FileAccessError(f"{path} is a directory.")
        return path.stat().st_size
    except OSError as error:
        raise FileAccessError(f"Cannot read {path}: {_reason(error)}.") from error


def numbered_lines(path: Path, *, advance: Advance) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their numbers, which start at 1; blank lines are left out.

    A line longer than `MAX_LINE_BYTES` is cut to one byte more than that, so that it
    takes bounded memory and is still recognised as too long.

    Raises:
        FileAccessError: the file cannot be opened, or is damaged.
    """
    number = 0
    try:
        with path.open("rb") as stored, _unpacked(stored) as stream:
            position = 0
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                text = raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw
                if len(text) > MAX_LINE_BYTES or text.strip():
                    yield number, text
                _skip_rest_of_line(stream, raw)
                if stored.seekable():
                    advance(stored.tell() - position)
                    position = stored.tell()
    except (OSError, EOFError, zlib.error) as error:
        if not number:
            raise FileAccessError(f"Cannot read {path}: {_reason(error)}.") from error
        raise FileAccessError(
            f"{path} is damaged after line {number:,}: {_reason(error)}."
        ) from error


@contextmanager
def replaced_file(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Write a file atomically, gzipped if its name ends in .gz.

    An earlier file stays as it is until the new one is complete, and if writing fails.
    Only the owner may read the new one: it holds what people wrote to each other.

    Raises:
        FileAccessError: the file cannot be written.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise FileAccessError(f"{path} is there and is no file.")
    try:
        with temporary_file_beside(target) as temporary:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stored:
                with _packed(stored, name=target.name) as stream:
                    yield stream.write
                stored.flush()
                os.fsync(stored.fileno())
            temporary.replace(target)
    except OSError as error:
        raise FileAccessError(f"Cannot write {path}: {_reason(error)}.") from error


@contextmanager
def _unpacked(stored: BufferedReader) -> Iterator[BufferedIOBase]:
    """Unpack by the content of the file, not by its name: people rename files."""
    if not stored.peek(len(_GZIP_MAGIC)).startswith(_GZIP_MAGIC):
        yield stored
        return
    with gzip.open(stored, "rb") as stream:
        yield stream


@contextmanager
def _packed(stored: BufferedIOBase, *, name: str) -> Iterator[BufferedIOBase]:
    if not name.endswith(".gz"):
        yield stored
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=stored, mtime=0) as stream:
        yield stream


def _skip_rest_of_line(stream: BufferedIOBase, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(MAX_LINE_BYTES)


def _reason(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error).rstrip(".")
