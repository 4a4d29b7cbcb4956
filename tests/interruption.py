"""Servers that a run started end with it, by SIGTERM as by Ctrl+C."""

import signal
from types import FrameType


def take_sigterm_as_interrupt() -> None:
    """Once: a second one would cut off the cleaning up after the first."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
