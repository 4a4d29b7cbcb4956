"""Servers that a run started end with it, however it is told to end."""

import signal
from types import FrameType


def take_sigterm_as_interrupt() -> None:
    """Once: whoever is told a second time is at it."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
