"""Depth-first traversal of a reply tree, page by page; see decision 0019.

A step goes from a message to its first reply. If there is none, it goes up to the
parent, and then to the parent's next reply. So the cost of a page grows with its
messages and with the way up where branches end, and not with earlier messages or with
siblings of other pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from django.conf import settings

from messaging.database import fetch_all
from messaging.models import Message
from messaging.reply_trees import TreeNode

# A cursor names so many ancestors, the root included. If its message was deleted, the
# walk goes on from the nearest ancestor that is left.
NAMED_ANCESTORS: Final = 16

# SQL by hand: the ORM cannot build one recursive expression on another.
# `named` is the place to continue from: the sequences of a message and its ancestors.
# The walk starts at the lowest of them that still exists, behind the reply that led to
# the message. In a row of `walk`, `after` is the sequence of the reply that the walk
# came up from, 0 on the way down; `shown` counts the messages that it has reached on
# the way down.
# The start is looked up number by number: as a join, PostgreSQL reads the conversation
# backwards down to it.
# Each step names the conversation, so that of partitions it looks in one. Where there are
# none, `{free}` is a sign that keeps the databases from reading the conversation for it.
# It stops by `shown`, not by `LIMIT`, which PostgreSQL does not promise to apply early.
_WALK: Final = """
WITH RECURSIVE named(sequence) AS (VALUES {named}),
walk(id, parent_id, sequence, depth, after, shown) AS (
    SELECT start.id, start.parent_id, start.sequence,
        CAST(%s AS bigint)
            - (SELECT COUNT(*) FROM named WHERE named.sequence > start.sequence),
        CAST(COALESCE(
            (SELECT MIN(named.sequence) FROM named WHERE named.sequence > start.sequence),
            0
        ) AS bigint),
        0
    FROM (
        SELECT id, parent_message_id AS parent_id, sequence
        FROM messaging_message
        WHERE {free}conversation_id = %s AND id = (
            SELECT found.id
            FROM (
                SELECT named.sequence, (
                    SELECT message.id FROM messaging_message AS message
                    WHERE message.conversation_id = %s
                    AND message.sequence = named.sequence
                ) AS id
                FROM named
            ) AS found
            WHERE found.id IS NOT NULL
            ORDER BY found.sequence DESC LIMIT 1
        )
    ) AS start
    UNION ALL
    SELECT next.id, next.parent_message_id, next.sequence,
        walk.depth + CASE WHEN next.parent_message_id = walk.id THEN 1 ELSE -1 END,
        CASE WHEN next.parent_message_id = walk.id THEN 0 ELSE walk.sequence END,
        walk.shown + CASE WHEN next.parent_message_id = walk.id THEN 1 ELSE 0 END
    FROM walk JOIN messaging_message AS next
    ON {free}next.conversation_id = %s AND next.id = COALESCE(
        (
            SELECT reply.id FROM messaging_message AS reply
            WHERE {free}reply.conversation_id = %s
            AND reply.parent_message_id = walk.id AND reply.sequence > walk.after
            ORDER BY reply.sequence LIMIT 1
        ),
        CASE WHEN walk.id <> %s THEN walk.parent_id END
    )
    WHERE walk.shown <= %s
),
above(id, parent_id, sequence, steps) AS (
    SELECT id, parent_id, sequence, 0 FROM walk WHERE shown = %s AND after = 0
    UNION ALL
    SELECT parent.id, parent.parent_message_id, parent.sequence, above.steps + 1
    FROM above JOIN messaging_message AS parent
    ON {free}parent.conversation_id = %s AND parent.id = above.parent_id
    WHERE above.steps < %s AND above.id <> %s
)
SELECT 0, shown, id, parent_id, sequence, depth FROM walk WHERE after = 0 OR shown = 0
UNION ALL
SELECT 1, steps, id, parent_id, sequence, 0 FROM above WHERE steps > 0
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class PageEnd:
    """The position at which a page ends: the depth of its last message, and a path to it.

    `path` has sequences: that of the message, then those of its nearest ancestors.
    """

    depth: int
    path: Sequence[int]


@dataclass(frozen=True, slots=True)
class Walk:
    """A page of a tree in reading order; `end` is None if it is the last page."""

    nodes: Sequence[TreeNode]
    end: PageEnd | None


def walk(*, root: Message, start: PageEnd | None, limit: int) -> Walk | None:
    """The replies of a tree after `start`, or from the first one on; one query.

    Returns:
        None if the root or all messages that `start` names were deleted.
    """
    page_end = start or PageEnd(depth=0, path=(root.sequence,))
    here = root.conversation_id
    found = fetch_all(
        _WALK.format(
            named=", ".join(["(%s)"] * len(page_end.path)),
            free="" if settings.PARLEY_PARTITIONS else "+",
        ),
        [
            *page_end.path,
            *(page_end.depth, here, here),
            *(here, here, root.pk, limit),
            *(limit, here, NAMED_ANCESTORS, root.pk),
        ],
    )
    rows = cast("Sequence[tuple[int, int, int, int | None, int, int]]", found)
    # Rows of `walk` begin with 0; the start itself, with `shown` 0, is not on the page.
    nodes = [TreeNode._make(row[2:]) for row in rows if row[0] == 0 and row[1]]
    above = [row[4] for row in rows if row[0] == 1]
    if not rows:
        return None
    return Walk(nodes[:limit], _end(nodes, above, limit))


def _end(nodes: Sequence[TreeNode], above: Sequence[int], limit: int) -> PageEnd | None:
    if len(nodes) <= limit:
        return None
    last = nodes[limit - 1]
    return PageEnd(last.depth, (last.sequence, *above))
