import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, cast

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from typing_extensions import override

from messaging.errors import RestoreError
from messaging.management.terminal import ParagraphHelpFormatter, confirmed, counted
from messaging.services.restoring import (
    Restored,
    require_restorable,
    restorable,
    restore_sqlite,
)

_HELP: Final = """\
Put a backup of the SQLite database in its place. The server may run meanwhile.

The backup is copied, checked and migrated first; then its content takes the place of
the database's in one step, under the write lock. Whatever happens, one of the two is
there, whole. Caches, and clients with live events, start over.

The former database is kept beside the restored one."""

_REMINDER: Final = (
    "Accounts that were deleted and tokens that were revoked since are back: delete and "
    "revoke them again."
)


class _HasWriteLock(Protocol):
    def writing_alone(self) -> AbstractContextManager[None]: ...


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument("file", type=Path, help="a file that `backup` wrote")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--no-keep",
            dest="keep",
            action="store_false",
            help="do not keep the former database",
        )

    @override
    def handle(self, *, file: Path, yes: bool, keep: bool, **options: object) -> None:
        if connection.vendor != "sqlite":
            raise CommandError(
                "This database is restored by pg_restore, while the server is stopped: "
                "see README.md."
            )
        database = Path(connection.settings_dict["NAME"])
        try:
            require_restorable(backup=file, database=database)
            if not yes:
                self._ask(file, database)
            with restorable(backup=file, database=database) as temporary:
                write_lock = cast("_HasWriteLock", connections["default"]).writing_alone
                restored = restore_sqlite(
                    temporary=temporary,
                    database=database,
                    write_lock=write_lock,
                    keep=keep,
                )
        except RestoreError as error:
            raise CommandError(str(error)) from error
        self._report(file, restored)

    def _ask(self, file: Path, database: Path) -> None:
        if not sys.stdin.isatty():
            raise CommandError("There is no terminal to ask at; use --yes.")
        self.stdout.write(
            f"All that was written to {database} since {file} was made will be gone."
        )
        if not confirmed("Restore it?"):
            raise CommandError("Nothing was restored.")

    def _report(self, file: Path, restored: Restored) -> None:
        last = restored.last_message_at
        until = f", the last of {last:%Y-%m-%d %H:%M} UTC" if last else ""
        self.stdout.write(
            f"Restored {file}: {counted(restored.people, 'account')}, "
            f"{counted(restored.conversations, 'conversation')} and "
            f"{counted(restored.messages, 'message')}{until}."
        )
        if restored.former is not None:
            self.stdout.write(f"The former database is kept as {restored.former}.")
        self.stdout.write(_REMINDER)
