from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from typing_extensions import override

from messaging.errors import BackupError
from messaging.services.backups import back_up_sqlite


class Command(BaseCommand):
    help = (
        "Copy the SQLite database into a file while the server runs. "
        "To restore it, run restore: see README.md."
    )

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="must not exist yet")

    @override
    def handle(self, *, file: Path, **options: object) -> None:
        if connection.vendor != "sqlite":
            raise CommandError("This database is backed up by pg_dump: see README.md.")
        database = Path(connection.settings_dict["NAME"])
        try:
            size = back_up_sqlite(database=database, into=file)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Wrote {size:,} bytes to {file}.")
