from argparse import ArgumentParser
from datetime import timedelta
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.arguments import at_least_one, duration
from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter
from messaging.services.invites import create_invite

_HELP: Final = """\
Make an invite code, with which people register where PARLEY_REGISTRATION=invite.

The code is written to standard output this once, and kept only as its SHA-256."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument(
            "--uses",
            type=at_least_one,
            default=1,
            metavar="N",
            help="how many people may register with the code (default: 1)",
        )
        parser.add_argument(
            "--expires",
            type=duration,
            metavar="TIME",
            help="after 90m, 12h or 7d, for instance (default: never)",
        )

    @override
    def handle(
        self, *, uses: int, expires: timedelta | None, **options: object
    ) -> None:
        with as_command_errors():
            code = create_invite(uses=uses, expires_in=expires)
        self.stderr.write(
            "The invite code; it cannot be shown again:", self.style.SUCCESS
        )
        self.stdout.write(code)
