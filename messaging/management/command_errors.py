"""Errors of commands: one sentence, and an exit status other than 0."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from messaging.errors import DomainError


@contextmanager
def as_command_errors() -> Iterator[None]:
    """Turn errors of the domain and the database into a CommandError."""
    try:
        yield
    except DomainError as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(f"The database refused: {str(error).strip()}") from error
