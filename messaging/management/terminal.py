"""How commands look in a terminal."""

import sys
from argparse import RawDescriptionHelpFormatter
from typing import NoReturn

from django.core.management.base import DjangoHelpFormatter
from tqdm import tqdm


class ParagraphHelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves paragraphs and examples of a help text as they are."""


def progress_bar(
    *, verbosity: int, doing: str, total: int, unit: str
) -> "tqdm[NoReturn]":
    """A bar on standard error; none where that is no terminal, or nobody wants one."""
    return tqdm(
        desc=doing,
        # 0 is not known, for instance of a pipe.
        total=total or None,
        unit=unit,
        unit_scale=True,
        file=sys.stderr,
        # None asks whether it is a terminal.
        disable=True if verbosity == 0 else None,
    )


def counted(number: int, noun: str) -> str:
    """`1 line`, `2,000 lines`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
