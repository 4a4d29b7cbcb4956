"""How a run, and the programs that it starts, are interrupted."""

import signal
from types import FrameType


def take_sigterm_as_interrupt() -> None:
    """Servers that a run started end with it, by SIGTERM as by Ctrl+C.

    Once: a second SIGTERM would cut off the cleaning up after the first.
    """
    signal.signal(signal.SIGTERM, _interrupt)


def heed_sigint() -> None:
    """A shell starts background jobs so that they, and their programs, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
