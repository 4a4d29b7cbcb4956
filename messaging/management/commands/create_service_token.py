from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter
from messaging.services.service_tokens import create_service_token

_HELP: Final = """\
Make a token for the product beside which Parley runs.

With it the product may create people (POST /api/v1/service/users) and mint tokens,
for a day at most, for those without a password (POST
/api/v1/service/users/{username}/tokens); nothing else.

The token is written to standard output this once, and kept only as its SHA-256.
`manage.py revoke_tokens --service NAME` ends it."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        parser.add_argument("name", help="a name to tell service tokens apart")

    @override
    def handle(self, *, name: str, **options: object) -> None:
        with as_command_errors():
            secret = create_service_token(name=name)
        self.stderr.write(
            f"The token of {name}; it cannot be shown again:", self.style.SUCCESS
        )
        self.stdout.write(secret)
