from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.errors import AlreadySetUpError
from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter
from messaging.services.setup import setup_code

_HELP: Final = """\
Show the code that makes the first account of an empty installation its administrator.

scripts/serve shows it at each start. Once there is an account there is none."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument(
            "--at",
            metavar="ADDRESS",
            help="say also where to give it, and nothing once there is an account",
        )

    @override
    def handle(self, *, at: str | None, **options: object) -> None:
        if at is None:
            with as_command_errors():
                self.stdout.write(setup_code())
            return
        try:
            code = setup_code()
        except AlreadySetUpError:
            return
        self.stdout.write(
            f"Nobody has an account here yet. Open {at.rstrip('/')}/setup and give this"
            f" code to become the administrator:\n\n    {code}\n"
        )
