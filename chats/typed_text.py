"""What people typed, as HTML that runs nothing: escaped, addresses made links."""

import re
from collections.abc import Iterator
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`\\]{1,2000}", re.IGNORECASE)
_TRAILING: Final = ".,;:!?*_~…"
_BRACKETS: Final = {")": "(", "]": "[", "}": "{"}


def as_html(text: str) -> SafeString:
    """Line breaks are left to `white-space: pre-wrap`."""
    return mark_safe("".join(_pieces(text)))  # noqa: S308  # each piece is escaped


def _pieces(text: str) -> Iterator[str]:
    end = 0
    for match in _ADDRESS.finditer(text):
        address = _trimmed(match.group())
        yield escape(text[end : match.start()])
        yield _link(address)
        end = match.start() + len(address)
    yield escape(text[end:])


def _link(address: str) -> str:
    shown = escape(address)
    if address.endswith("://"):
        return shown
    return f'<a href="{shown}" rel="nofollow noopener noreferrer">{shown}</a>'


def _trimmed(address: str) -> str:
    """Without what ends the sentence rather than the address."""
    while address:
        last = address[-1]
        opening = _BRACKETS.get(last)
        unbalanced = opening and address.count(last) > address.count(opening)
        if last not in _TRAILING and not unbalanced:
            break
        address = address[:-1]
    return address
