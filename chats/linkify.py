"""Turns a user's text into safe HTML: escaped, with its URLs as links."""

from itertools import groupby

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from messaging.links_and_mentions import Span, SpanKind, spans


def as_html(text: str) -> SafeString:
    """A text as safe HTML; the style `white-space: pre-wrap` shows its line breaks."""
    pieces = (
        "".join(map(_link, found)) if links else escape("".join(map(_text, found)))
        for links, found in groupby(spans(text, mentions=False), key=_is_link)
    )
    return mark_safe("".join(pieces))  # noqa: S308  # each is escaped


def _is_link(span: Span) -> bool:
    return span.kind is SpanKind.LINK


def _text(span: Span) -> str:
    return span.text


def _link(span: Span) -> str:
    address = escape(span.text)
    return f'<a href="{address}" rel="nofollow noopener noreferrer">{address}</a>'
