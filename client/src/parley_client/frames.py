"""Parsers of streamed bodies: server-sent events, and lines.

Bytes arrive in pieces of any length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    event: str
    data: str
    # None if the frame has no id; the cursor of the stream then stays the same.
    id: str | None


@dataclass(slots=True)
class FrameDecoder:
    """Takes pieces of bytes, and yields each frame once it is complete."""

    # Seconds to wait before reconnecting, by the server's latest `retry` field.
    pause: float = 2.0
    _rest: bytes = b""
    _ended_in_return: bool = False
    _event: str = "message"
    _data: list[str] = field(default_factory=list)
    _id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Frame]:
        if self._ended_in_return:
            # The last piece ended between CR and LF, which together end one line.
            piece = piece.removeprefix(b"\n")
        self._ended_in_return = piece.endswith(b"\r")
        unified = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = (self._rest + unified).split(b"\n")
        for line in lines:
            frame = self._frame_after(line.decode(errors="replace"))
            if frame is not None:
                yield frame

    def _frame_after(self, line: str) -> Frame | None:
        if line:
            self._take(line)
            return None
        frame = Frame(self._event, "\n".join(self._data), self._id)
        has_data = bool(self._data)
        self._event, self._data, self._id = "message", [], None
        return frame if has_data else None

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        # The standard allows one blank after the colon.
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            # The standard says to ignore an id with a NUL.
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isdecimal():
                self.pause = int(value) / 1000
            case _:
                # A comment, or a field that a later standard defines: ignore it.
                pass


@dataclass(slots=True)
class Lines:
    """Takes pieces of bytes, and yields each line once it is complete."""

    _rest: bytes = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        yield from lines
