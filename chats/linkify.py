"""Turns a user's text into safe HTML: escaped, with links of its URLs and mentions."""

from collections.abc import Mapping
from functools import partial
from itertools import groupby
from types import MappingProxyType
from typing import Final

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from messaging.ids import UserId
from messaging.links_and_mentions import Span, SpanKind, spans

NOBODY: Final[Mapping[str, UserId]] = MappingProxyType({})


def as_html(text: str, mentioned: Mapping[str, UserId] = NOBODY) -> SafeString:
    """A text as safe HTML; the style `white-space: pre-wrap` shows its line breaks.

    `mentioned` has the users whose mentions are links, by username in lower case; any
    other mention stays plain text. Nothing depends on who reads.
    """
    pieces = (
        "".join(_link(span, mentioned) for span in found)
        if linked
        else escape("".join(span.text for span in found))
        for linked, found in groupby(
            spans(text, mentions=bool(mentioned)),
            key=partial(_is_linked, mentioned=mentioned),
        )
    )
    return mark_safe("".join(pieces))  # noqa: S308  # each is escaped


def _is_linked(span: Span, *, mentioned: Mapping[str, UserId]) -> bool:
    if span.kind is SpanKind.MENTION:
        return _name(span) in mentioned
    return span.kind is SpanKind.LINK


def _name(mention: Span) -> str:
    return mention.text[1:].lower()


def _link(span: Span, mentioned: Mapping[str, UserId]) -> str:
    shown = escape(span.text)
    if span.kind is SpanKind.LINK:
        return f'<a href="{shown}" rel="nofollow noopener noreferrer">{shown}</a>'
    name = _name(span)
    page = reverse("person", args=[name])
    return (
        f'<a class="mention" href="{page}" data-mentions="{mentioned[name]}">'
        f"{shown}</a>"
    )
