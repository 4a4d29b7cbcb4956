import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from typing_extensions import override

from messaging.import_export.checking import check_file
from messaging.import_export.errors import BadLinesError, ImportExportError
from messaging.import_export.files import file_size
from messaging.import_export.importing import ImportSummary, import_staged
from messaging.import_export.staging import Note, Staging, staging_area
from messaging.management.terminal import ParagraphHelpFormatter, counted, progress_bar

_HELP: Final = """\
Import group conversations from a file of JSON Lines, plain or gzipped.

Each line is one message, oldest first within its conversation:

  {"id": "talk/2", "conversation": "talk", "sender": "Zoë",
   "timestamp": "2026-01-31T09:30:00Z", "content": "Hello", "parent_message": "talk/1"}

parent_message is the id of an earlier message of the same conversation, or null.
A sender of null and a content of "" are a deleted message that others reply to.

The whole file is checked before anything is written. Then some hundred messages are
written at a time: the server may go on running, and a run that was broken off is
resumed by running it again. Messages that were imported before are skipped, as they
are here now, edited or deleted: of a later file of the same conversations only what
is new is added, after what is there.

People get an account each, under a username as near to their name as is free;
nobody can sign in to one before it is given a password. Nobody is notified."""


_NOTES: Final = {
    Note.DIFFERS: "Here otherwise than in the file, and left as it is:",
    Note.FUTURE: "Of a time that is yet to come:",
    Note.PARENT_DELETED: "Replies to what was deleted here, and may stand alone:",
}


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument("file", type=Path, help="the file, plain or gzipped")
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="leave lines out that break a rule, instead of importing nothing",
        )

    @override
    def handle(
        self, *, file: Path, skip_bad: bool, verbosity: int, **options: object
    ) -> None:
        try:
            with staging_area() as staging:
                self._check(staging, file, verbosity=verbosity)
                bad_lines = staging.bad_lines()
                if bad_lines.count and not skip_bad:
                    raise BadLinesError(bad_lines)
                made = self._import(staging, verbosity=verbosity)
                if verbosity:
                    self._report(staging, made)
        except ImportExportError as error:
            raise CommandError(str(error)) from error
        except sqlite3.Error as error:
            raise CommandError(f"No room to check the file in: {error}.") from error
        except DatabaseError as error:
            raise CommandError(
                f"The database refused: {str(error).strip()}\nConversations that were "
                "complete by then are kept; run the import again to go on."
            ) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Interrupted. Run the import again to go on.", returncode=130
            ) from None

    def _check(self, staging: Staging, file: Path, *, verbosity: int) -> None:
        with progress_bar(
            verbosity=verbosity, doing="Checking", total=file_size(file), unit="B"
        ) as bar:
            check_file(file, staging, advance=bar.update)

    def _import(self, staging: Staging, *, verbosity: int) -> ImportSummary:
        total = staging.tally(there=False).messages
        with progress_bar(
            verbosity=verbosity, doing="Importing", total=total, unit=" messages"
        ) as bar:
            return import_staged(staging, advance=bar.update)

    def _report(self, staging: Staging, made: ImportSummary) -> None:
        new, there = staging.tally(there=False), staging.tally(there=True)
        bad_lines = staging.bad_lines()
        read = new.messages + there.messages + bad_lines.count
        self.stdout.write(
            f"Read {counted(read, 'line')}; made "
            f"{counted(made.conversations, 'conversation')} with "
            f"{counted(made.messages, 'message')}, and "
            f"{counted(made.people, 'account')} for people."
        )
        if made.added:
            self.stdout.write(
                f"Added {counted(made.added, 'message')} to "
                f"{counted(made.continued, 'conversation')} that went on."
            )
        if there.conversations:
            self.stdout.write(
                f"Skipped {counted(there.conversations, 'conversation')} with "
                f"{counted(there.messages, 'message')}, there already."
            )
        for note, heading in _NOTES.items():
            if (noted := staging.noted(note)).count:
                self.stdout.write(f"{heading} {noted.listed()}")
        if bad_lines.count:
            self.stdout.write(f"Left out {bad_lines}")
