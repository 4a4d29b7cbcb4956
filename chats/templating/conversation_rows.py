"""The rows of the list of conversations, kept: of thirty, what happens changes one.

A row shows what all participants see alike, for which its version stands, and what is
its reader's alone, which is part of the key.
"""

from collections.abc import Callable
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from messaging.conversation_memory import ConversationMemory, may_keep
from messaging.ids import UserId
from messaging.services.summaries import ConversationSummary

ConversationRow = Callable[
    [ConversationSummary, UserId, frozenset[int], frozenset[int]], Markup
]

_rows: Final = ConversationMemory[tuple[object, ...], Markup](most=5000)


def conversation_row(environment: Environment) -> ConversationRow:
    """The function for templates: a row for a reader, who sees that these people are online
    and that these share a name with another one of the list.
    """

    def render(
        summary: ConversationSummary,
        reader: UserId,
        online: frozenset[int],
        namesakes: frozenset[int],
    ) -> Markup:
        made = environment.get_template("chats/conversation_row.html").render(
            each=summary, reader=reader, online=online, namesakes=namesakes
        )
        return Markup(made)  # noqa: S704  # a template of ours

    def row(
        summary: ConversationSummary,
        reader: UserId,
        online: frozenset[int],
        namesakes: frozenset[int],
    ) -> Markup:
        other, last = summary.participant, summary.last_message
        key = (
            summary.state,
            reader,
            summary.unread_count,
            summary.badge_count,
            summary.muted,
            other is not None and (other.id in online, other.id in namesakes),
            last is not None and last.sender_id in namesakes,
        )
        kept = _rows.get(key)
        if kept is None:
            kept = render(summary, reader, online, namesakes)
            if may_keep():
                _rows.keep(key, kept, summary.id)
        return kept

    return row
