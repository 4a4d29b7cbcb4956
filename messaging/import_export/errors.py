"""The errors of import and export; their messages are for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

LISTED_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class BadLines:
    """The number of lines that break a rule, and a description of the first of them."""

    count: int
    first: Sequence[str]

    @override
    def __str__(self) -> str:
        heading = f"{self.count:,} bad line{'' if self.count == 1 else 's'}:"
        more = self.count - len(self.first)
        ending = [f"and {more:,} more"] if more else []
        return "\n  ".join([heading, *self.first, *ending])

    def listed(self) -> str:
        """The first lines in one sentence, without reasons."""
        more = self.count - len(self.first)
        ending = [f"and {more:,} more"] if more else []
        return f"{', '.join([*self.first, *ending])}."


class ImportExportError(Exception):
    """The import or export cannot go on."""


class FileAccessError(ImportExportError):
    """The file is missing, no regular file, damaged or empty, or its place is forbidden."""


class BadLinesError(ImportExportError):
    """The file has lines that break a rule; nothing was written."""

    def __init__(self, bad_lines: BadLines) -> None:
        super().__init__(
            f"Nothing was imported: {bad_lines}\n"
            "Correct them, or leave them out with --skip-bad."
        )


class BadLineError(Exception):
    """One line breaks a rule; the message says which."""
