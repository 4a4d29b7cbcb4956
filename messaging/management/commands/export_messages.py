import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from typing_extensions import override

from messaging.import_export.errors import ImportExportError
from messaging.import_export.exporting import ExportSummary, export_messages
from messaging.import_export.files import replaced_file
from messaging.management.terminal import ParagraphHelpFormatter, counted, progress_bar
from messaging.models import Message

_HELP: Final = """\
Export all conversations as JSON Lines, in the shape that import_messages reads.

Without a file they go to standard output. A file appears, or replaces the one
that was there, when it is complete; only its owner may read it.

What an import brought keeps its names. Other messages and conversations are
called parley-1, parley-2 and so on, other people by their usernames. Edits,
read marks and accounts are not exported."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument(
            "file",
            nargs="?",
            type=Path,
            help="the file to write; gzipped if its name ends in .gz",
        )

    @override
    def handle(self, *, file: Path | None, verbosity: int, **options: object) -> None:
        opened = self._standard_output() if file is None else replaced_file(file)
        try:
            with opened as write:
                summary = self._export(write, verbosity=verbosity)
        except BrokenPipeError:
            # The reader has closed the pipe, as `| head` does: stop. Python would try to
            # write at its exit what is left in the buffer, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except ImportExportError as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {str(error).strip()}") from error
        if verbosity:
            self._report(summary)

    def _export(
        self, write: Callable[[bytes], object], *, verbosity: int
    ) -> ExportSummary:
        with progress_bar(
            verbosity=verbosity,
            doing="Exporting",
            total=Message.objects.count(),
            unit=" messages",
        ) as bar:
            return export_messages(write, advance=bar.update)

    @contextmanager
    def _standard_output(self) -> Iterator[Callable[[bytes], object]]:
        out: object = self.stdout._out
        if isinstance(out, TextIOWrapper):
            # Whatever the terminal's encoding, lines are UTF-8.
            yield out.buffer.write
            out.buffer.flush()
        else:
            yield lambda line: self.stdout.write(line.decode(), ending="")

    def _report(self, summary: ExportSummary) -> None:
        self.stderr.write(
            f"Exported {counted(summary.messages, 'message')} of "
            f"{counted(summary.conversations, 'conversation')}.",
            style_func=str,
        )
