"""Arguments that several commands share."""

import getpass
import re
import sys
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Final

from django.core.management.base import CommandError

STDIN_HELP: Final = (
    "read the password from a line of standard input instead of asking for it"
)

_DURATION: Final = re.compile(r"([1-9]\d{0,4})([mhd])", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


def duration(text: str) -> timedelta:
    """Parse `90m`, `12h` or `7d`."""
    written = _DURATION.fullmatch(text)
    if written is None:
        raise ArgumentTypeError(f"not a time such as 90m, 12h or 7d: {text!r}")
    return int(written[1]) * _UNITS[written[2]]


def at_least_one(text: str) -> int:
    """Parse a whole number of at least 1."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise ArgumentTypeError(f"not a number from 1 to 999999999: {text!r}")
    return int(text)


def read_password(*, from_stdin: bool) -> str:
    """Ask for a password twice, or read it from standard input.

    It is never an argument, which process lists and shell histories show.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError(
            "There is no terminal to ask for the password at; use --password-stdin."
        )
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise CommandError("These were two different passwords.")
    return password
