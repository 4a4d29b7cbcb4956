from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection
from typing_extensions import override

from messaging.services.scrubbing import (
    RowsStillVisibleError,
    other_copies,
    rewrite_database,
)


class Command(BaseCommand):
    help = (
        "Rewrite the database (VACUUM), so that its files keep no deleted data. It needs "
        "the size of the database in free space. Nobody can write meanwhile; on "
        "PostgreSQL, nobody can read either. Run it at night, and once for a database "
        "that an earlier version made."
    )

    @override
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--max-wait",
            type=float,
            default=600,
            metavar="SECONDS",
            help="How long to wait for transactions that may still see deleted rows, in "
            "any database of the PostgreSQL cluster (default: 600).",
        )

    @override
    def handle(self, *args: object, max_wait: float, **options: object) -> None:
        try:
            rewrite_database(max_wait_seconds=max_wait)
        except RowsStillVisibleError as error:
            raise CommandError(
                "The database was not rewritten: a transaction that began before may "
                "still see what was deleted. It may be one of another database of the "
                "cluster, or a replica: see pg_stat_activity and pg_replication_slots."
            ) from error
        except OperationalError as error:
            raise CommandError(
                f"The database was not rewritten: {str(error).strip()}"
            ) from error
        self.stdout.write("Rewrote the database: nothing deleted is left in its files.")
        for path in other_copies():
            self.stdout.write(
                f"{path} still holds all that was in it: keep or delete it."
            )
        if connection.vendor == "postgresql":
            self.stdout.write("Its write-ahead log and replicas follow in their time.")
