"""The output of commands in a terminal."""

import signal
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from django.core.management.base import DjangoHelpFormatter
from tqdm import tqdm


class ParagraphHelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the paragraphs and examples of a help text."""


def progress_bar(
    *, verbosity: int, doing: str, total: int, unit: str
) -> "tqdm[NoReturn]":
    """A progress bar on standard error; none if that is no terminal, or with `--verbosity 0`."""
    return tqdm(
        desc=doing,
        # 0 means unknown: the size of a pipe, for instance.
        total=total or None,
        unit=unit,
        unit_scale=True,
        file=sys.stderr,
        # None: tqdm checks whether standard error is a terminal.
        disable=True if verbosity == 0 else None,
    )


def counted(number: int, noun: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def confirmed(question: str) -> bool:
    """Ask a question at the terminal; any answer but `y` or `yes` means no."""
    with _ended_at_once():
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Use the default signal handlers, which end the process, while nothing needs cleaning up.

    Python runs its own handlers between two instructions. A signal that came between
    the question and the wait for the answer would take effect only after the answer.
    """
    kinds = (signal.SIGTERM, signal.SIGHUP)
    # Leave ignored signals alone: nohup ignores SIGHUP.
    handlers = {
        kind: handler for kind in kinds if callable(handler := signal.getsignal(kind))
    }
    for kind in handlers:
        signal.signal(kind, signal.SIG_DFL)
    try:
        yield
    finally:
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
