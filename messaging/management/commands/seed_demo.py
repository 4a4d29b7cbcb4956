from argparse import ArgumentParser
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from typing_extensions import override

from messaging.demo.links import link_token
from messaging.demo.seeding import DemoNameTakenError, DemoSignIn, DemoState, seed_demo
from messaging.errors import DomainError
from messaging.management.terminal import ParagraphHelpFormatter

_HELP: Final = """\
Fill in a demo, a street of thirty people with a month of talk, and print a link that
signs you in. The link works once, within a day; run this again for another.

The password is random, and kept in the file demo-password of the data directory.
Run again, this changes nothing and prints the same password; if the file is gone, the
people of the demo get a new password. Accounts of others are never touched."""

_STATE_TEXTS: Final = {
    DemoState.SEEDED: "The demo is filled in.",
    DemoState.ALREADY_THERE: "The demo is there already.",
    DemoState.PASSWORD_RENEWED: "The demo is there already; its people have a new "
    "password, because the file that held the old one was gone.",
    DemoState.PASSWORD_UNKNOWN: "The demo is there already, but someone changed the "
    "password. To get a new one, delete the file named below and run this again.",
}


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument(
            "--url",
            default="http://127.0.0.1:8000",
            help="where the server is (default %(default)s)",
        )

    @override
    def handle(self, *, url: str, **options: object) -> None:
        file = settings.DATA_DIR / "demo-password"
        try:
            sign_in = seed_demo(password_file=file)
        except (DemoNameTakenError, DomainError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database refused: {str(error).strip()}") from error
        except OSError as error:
            raise CommandError(f"Cannot keep the password: {error}.") from error
        self._report(sign_in, file, url.rstrip("/"))

    def _report(self, sign_in: DemoSignIn, file: Path, url: str) -> None:
        self.stdout.write(_STATE_TEXTS[sign_in.state])
        self.stdout.write(f"  username: {sign_in.username}")
        if sign_in.state is DemoState.PASSWORD_UNKNOWN:
            self.stdout.write(f"  password: no longer the one in {file}")
            return
        self.stdout.write(f"  password: {sign_in.password}")
        self.stdout.write("The others of the demo have the same password.")
        if token := link_token():
            self.stdout.write("To be signed in, open this link. It works once, today:")
            self.stdout.write(f"  {url}/sign-in?demo={token}")
