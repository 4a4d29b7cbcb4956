from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from typing_extensions import override

from messaging.services.scrubbing import other_copies, rewrite_database


class Command(BaseCommand):
    help = (
        "Rewrite the database (VACUUM), so that its files keep no deleted data. It needs "
        "the size of the database in free space. Nobody can write meanwhile; on "
        "PostgreSQL, nobody can read either. Run it at night, and once for a database "
        "that an earlier version made."
    )

    @override
    def handle(self, *args: object, **options: object) -> None:
        try:
            rewrite_database()
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
