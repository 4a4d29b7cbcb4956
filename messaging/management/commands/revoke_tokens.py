from argparse import ArgumentParser
from typing import Final

from django.core.management.base import BaseCommand
from typing_extensions import override

from messaging.management.command_errors import as_command_errors
from messaging.management.terminal import ParagraphHelpFormatter, counted
from messaging.services.passwords import sign_out
from messaging.services.service_tokens import revoke_service_token
from messaging.services.users import account_named

_HELP: Final = """\
Sign somebody out everywhere, or end a service token; at once.

Of a person all tokens and browser sessions end. They can sign in again: to
suspend an account, clear `active` in the admin. What was minted with a service
token runs out by itself, within a day."""


class Command(BaseCommand):
    help = _HELP

    @override
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = ParagraphHelpFormatter
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("username", nargs="?")
        whose.add_argument("--service", metavar="NAME", help="the service token's name")

    @override
    def handle(
        self, *, username: str | None, service: str | None, **options: object
    ) -> None:
        with as_command_errors():
            said = _revoke_service(service) if username is None else _sign_out(username)
        self.stdout.write(said)


def _revoke_service(name: str | None) -> str:
    revoke_service_token(name=name or "")
    return f"The service token {name} is revoked."


def _sign_out(username: str) -> str:
    ended = sign_out(user=account_named(username=username))
    return (
        f"Ended {counted(ended.tokens, 'token')} "
        f"and {counted(ended.sessions, 'session')} of {username}."
    )
