from django.core.management.commands import migrate
from django.db import connections
from typing_extensions import override

from messaging.services.migrations import migration_lock


class Command(migrate.Command):
    """Django's, but one at a time: nodes of one installation may start together."""

    @override
    def handle(self, *args: object, database: str, **options: object) -> None:
        with migration_lock(connections[database], on_wait=self.stderr.write):
            super().handle(*args, database=database, **options)
