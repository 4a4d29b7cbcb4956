"""How commands fail: with a sentence, and a status other than 0."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import DatabaseError

from messaging.errors import DomainError


@contextmanager
def told_refusals() -> Iterator[None]:
    """Turn what the domain or the database refuses into a command's error."""
    try:
        yield
    except DomainError as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        raise CommandError(f"The database refused: {str(error).strip()}") from error
