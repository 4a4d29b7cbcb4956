from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.arguments import STDIN_HELP, read_password
from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter, counted
from messaging.services.passwords import set_password
from messaging.services.users import account_named

_HELP: Final = """\
Set somebody's password, and end their tokens and browser sessions.

The password is asked for, or read from standard input."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument("username")
        parser.add_argument("--password-stdin", action="store_true", help=STDIN_HELP)

    @override
    def handle(self, *, username: str, password_stdin: bool, **options: object) -> None:
        with as_command_errors():
            user = account_named(username=username)
            password = read_password(from_stdin=password_stdin)
            ended = set_password(user=user, new=password)
        self.stdout.write(
            f"{user.username} has a new password; ended "
            f"{counted(ended.tokens, 'token')} and {counted(ended.sessions, 'session')}."
        )
