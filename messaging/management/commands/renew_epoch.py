from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.services.installation import renew_epoch


class Command(BaseCommand):
    help = (
        "Make every cached page and event cursor invalid. Run it after restoring a backup, "
        "before the server starts: the database will use versions again that caches and "
        "clients know with other contents. The next node that starts may have another secret "
        "key."
    )

    @override
    def handle(self, *args: object, **options: object) -> None:
        renew_epoch()
        self.stdout.write("Pages cached before will not be served any more.")
