"""Files of lines, plain or gzipped: read whatever they hold, replaced only whole."""

import gzip
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedIOBase, BufferedReader
from pathlib import Path
from typing import Final

from messaging.interchange.errors import FileAccessError
from messaging.interchange.lines import MAX_LINE_BYTES

# Told how much more is done: bytes read, or messages written.
Advance = Callable[[int], object]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def file_size(path: Path) -> int:
    """The bytes of a file as stored.

    Raises:
        FileAccessError: it is missing, or no file.
    """
    try:
        if path.is_dir():
            raise FileAccessError(f"{path} is a directory.")
        return path.stat().st_size
    except OSError as error:
        raise FileAccessError(f"Cannot read {path}: {_reason(error)}.") from error


def numbered_lines(path: Path, *, advance: Advance) -> Iterator[tuple[int, bytes]]:
    """The lines of a file with their numbers from 1, blank ones left out.

    Of a line beyond the limit just enough comes to tell that it is: the memory
    taken depends on nothing in the file.

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
    """Write a file, gzipped if its name ends in .gz, that appears when complete.

    Until then, and if anything goes wrong, whatever was there stays. Only the
    owner may read it: it holds what people wrote to each other.

    Raises:
        FileAccessError: it cannot be written there.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise FileAccessError(f"{path} is there and is no file.")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stored:
                with _packed(stored, name=target.name) as stream:
                    yield stream.write
                stored.flush()
                os.fsync(stored.fileno())
            draft.replace(target)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except OSError as error:
        raise FileAccessError(f"Cannot write {path}: {_reason(error)}.") from error


@contextmanager
def _unpacked(stored: BufferedReader) -> Iterator[BufferedIOBase]:
    """By what the file holds, not by its name: people rename files."""
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
