"""Paths of pages, quickly: a page of messages has hundreds of them."""

from collections.abc import Mapping
from functools import cache

from django.urls import reverse

from messaging.ids import MAX_ID


def path(name: str, *arguments: object) -> str:
    """The path of a page. Whole numbers are put into a format that is kept for each name."""
    for argument in arguments:
        # Exactly whole numbers: nothing else goes without quoting.
        if type(argument) is not int:
            return reverse(name, args=arguments)
    return _format(name, len(arguments)) % arguments


@cache
def _format(name: str, count: int) -> str:
    """A page's path with `%d` instead of numbers, made of the path of numbers to replace."""
    numbers = [MAX_ID - place for place in range(count)]
    return number_format(reverse(name, args=numbers), dict.fromkeys(numbers, "%d"))


def number_format(made: str, places: Mapping[int, str]) -> str:
    """A format of a text, which has these in place of its numbers."""
    made = made.replace("%", "%%")
    for number, place in places.items():
        made = made.replace(str(number), place)
    return made
