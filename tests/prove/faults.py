"""Faults that tests switch on in servers with `tests.prove.faulty_settings`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# SQLite's own limit; the smallest it takes is the size that the file has.
_NO_LIMIT: Final = 2**32 - 2


class FullDiskMiddleware:
    """While the disk is full, the database's file does not grow."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if connection.vendor == "sqlite":
            full = (settings.DATA_DIR / "full-disk").exists()
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA max_page_count = {1 if full else _NO_LIMIT}")
        return self.get_response(request)


def faulty(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of servers whose faults can be switched on."""
    return {**environment, "DJANGO_SETTINGS_MODULE": "tests.prove.faulty_settings"}


@contextmanager
def full_disk(environment: Mapping[str, str]) -> Iterator[None]:
    flag = _folder(environment) / "full-disk"
    flag.touch()
    try:
        yield
    finally:
        flag.unlink()


def move_clock(environment: Mapping[str, str], seconds: int) -> None:
    """By so much from the true time, until it is moved again."""
    clock = _folder(environment) / "clock"
    draft = clock.with_suffix(".draft")
    draft.write_text(str(seconds))
    draft.replace(clock)


def _folder(environment: Mapping[str, str]) -> Path:
    return Path(environment["PARLEY_DATA_DIR"])
