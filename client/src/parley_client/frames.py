"""Server-sent events and lines, from bytes in whatever pieces they come."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    event: str
    data: str
    # None where the frame has none: an id of an earlier frame stays the last one.
    id: str | None


@dataclass(slots=True)
class FrameDecoder:
    """Feed it what arrives; it gives every frame that is complete."""

    # Seconds to wait before coming back, as the server last asked for.
    pause: float = 2.0
    _rest: bytes = b""
    _ended_in_return: bool = False
    _event: str = "message"
    _data: list[str] = field(default_factory=list)
    _id: str | None = None

    def feed(self, piece: bytes) -> Iterator[Frame]:
        if self._ended_in_return:
            # The other half of what ended the last line.
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
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isdecimal():
                self.pause = int(value) / 1000
            case _:
                # A comment, or what a later standard adds.
                pass


@dataclass(slots=True)
class Lines:
    """Feed it what arrives; it gives every line that is complete."""

    _rest: bytes = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        yield from lines
