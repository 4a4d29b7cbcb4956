"""Why a file cannot be read, imported or written; each is fit for people to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

LISTED_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class BadLines:
    """How many lines break a rule, and of the first ones which."""

    count: int
    first: Sequence[str]

    @override
    def __str__(self) -> str:
        heading = f"{self.count:,} bad line{'' if self.count == 1 else 's'}:"
        more = self.count - len(self.first)
        ending = [f"and {more:,} more"] if more else []
        return "\n  ".join([heading, *self.first, *ending])


class InterchangeError(Exception):
    """An import or export cannot go on."""


class FileAccessError(InterchangeError):
    """The file is missing, no file, damaged, empty, or in a forbidden place."""


class BadLinesError(InterchangeError):
    """The file has lines that break a rule; nothing was written."""

    def __init__(self, bad_lines: BadLines) -> None:
        super().__init__(
            f"Nothing was imported: {bad_lines}\n"
            "Correct them, or leave them out with --skip-bad."
        )


class BadLineError(Exception):
    """One line breaks a rule; the message says which."""
