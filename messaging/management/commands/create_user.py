from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.arguments import STDIN_HELP, read_password
from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter
from messaging.services.users import create_account

_HELP: Final = """\
Open an account, whatever PARLEY_REGISTRATION says.

The password is asked for, or read from standard input. With --no-password nobody
can sign in to it; a service token acts for its person."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument("username")
        parser.add_argument("--display-name", help="the username unless given")
        source = parser.add_mutually_exclusive_group()
        source.add_argument("--password-stdin", action="store_true", help=STDIN_HELP)
        source.add_argument("--no-password", action="store_true")

    @override
    def handle(
        self,
        *,
        username: str,
        display_name: str | None,
        password_stdin: bool,
        no_password: bool,
        **options: object,
    ) -> None:
        password = None if no_password else read_password(from_stdin=password_stdin)
        with as_command_errors():
            user = create_account(
                username=username, password=password, display_name=display_name
            )
        self.stdout.write(f"{user.username} has an account.")
