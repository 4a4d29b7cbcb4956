"""Reply trees: nested, for reading at a glance, and flat, page by page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from operator import attrgetter, itemgetter
from typing import Final, cast

from django.db.models import IntegerField, QuerySet, Value
from django_cte import CTE, with_cte

from messaging.access import ReadableMessage, message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import MessageId
from messaging.models import Message
from messaging.pages import Page
from messaging.services.timelines import rows_by_id
from messaging.shown import (
    SHOWN_COLUMNS,
    People,
    ShownMessage,
    ShownRow,
    shown_fields,
)
from messaging.statements import Parameter, Statement
from messaging.trees import Tree, Twig, ancestors

# How many ancestors a cursor names: it is good while one of them is there.
_NAMED_ANCESTORS: Final = 16


# As in `Twig`.
_Place = tuple[MessageId, MessageId | None, int, int]


@dataclass(slots=True)
class ThreadNode(ShownMessage):
    """A message of a nested tree. `descendant_count` counts those cut away too."""

    depth: int
    descendant_count: int
    has_more_replies: bool
    replies: list["ThreadNode"]


@dataclass(slots=True)
class Reply(ShownMessage):
    """A message of a flat tree; direct replies to its root have depth 1."""

    depth: int


def thread(*, root: ReadableMessage, depth: int, nodes: int) -> ThreadNode:
    """A message and its replies, level by level, oldest first among siblings.

    At most `depth` levels below the root and `nodes` messages, the root among
    them. One query if the whole tree has no more of these, else three; the cost
    grows with the whole tree.
    """
    rows = _MESSAGES.page(nodes + 1, root=root.pk)
    if not rows:
        raise message_not_found()
    if len(rows) <= nodes:
        return _whole(rows, depth=depth)
    return _cut(_tree(root), depth=depth, nodes=nodes)


def reply_page(*, root: ReadableMessage, cursor: str | None, limit: int) -> Page[Reply]:
    """A tree without its root in reading order: a message, then its replies.

    Raises:
        InvalidCursorError: not of this list, or all that it names was deleted.
    """
    order = list(_tree(root).reading_order())
    start = 0 if cursor is None else _resume(order, cursor)
    shown = order[start : start + limit]
    rows, people = _rows(shown), People()
    items = [
        Reply(*shown_fields(rows[twig.id], people), twig.depth)
        for twig in shown
        if twig.id in rows
    ]
    end = start + len(shown)
    return Page(items, _cursor(order, end - 1) if end < len(order) else None)


def _whole(rows: list[ShownRow], *, depth: int) -> ThreadNode:
    """A tree of which all is there, cut at a depth."""
    people: People = {}
    # In the order of their sequences, a message comes before its replies.
    rows.sort(key=itemgetter(SHOWN_COLUMNS.index("sequence")))
    nodes: dict[MessageId | None, ThreadNode] = {
        row[0]: ThreadNode(
            *shown_fields(row, people),
            depth=cast(int, row[-1]),
            descendant_count=0,
            has_more_replies=False,
            replies=[],
        )
        for row in rows
    }
    root, *below = nodes.values()
    for node in below:
        nodes[node.parent_message_id].replies.append(node)
    for node in reversed(below):
        nodes[node.parent_message_id].descendant_count += node.descendant_count + 1
    for node in nodes.values():
        if node.depth == depth and node.replies:
            node.has_more_replies = True
            node.replies = []
    return root


def _cut(tree: Tree, *, depth: int, nodes: int) -> ThreadNode:
    """The top of a tree; one deleted since it was read is missing."""
    shown = list(tree.top(depth=depth, nodes=nodes))
    rows = _rows(shown)
    counts = tree.descendant_counts()
    people: People = {}
    assembled: dict[MessageId, ThreadNode] = {}
    # From the deepest up: every node finds its replies complete.
    for twig in reversed(shown):
        if twig.id not in rows:
            continue
        below = tree.children[twig.id]
        replies = [assembled[reply.id] for reply in below if reply.id in assembled]
        assembled[twig.id] = ThreadNode(
            *shown_fields(rows[twig.id], people),
            depth=twig.depth,
            descendant_count=counts[twig.id],
            has_more_replies=len(replies) < len(below),
            replies=replies,
        )
    if tree.root.id not in assembled:
        raise message_not_found()
    return assembled[tree.root.id]


def _tree(root: Message) -> Tree:
    """The places of a message and of all below it."""
    twigs = [Twig._make(row) for row in _PLACES.all(root=root.pk)]
    if not twigs:
        raise message_not_found()
    twigs.sort(key=attrgetter("sequence"))
    return Tree.grow(twigs)


def _descent() -> CTE:
    """A message and all below it, by one recursive expression."""

    def descend(tree: CTE) -> QuerySet[Message, Mapping[str, object]]:
        start = Message.objects.filter(pk=Parameter("root"))
        below = tree.join(Message, parent_message_id=tree.col.id)
        return start.values(
            "id", "parent_message_id", "sequence", depth=Value(0, IntegerField())
        ).union(
            below.values(
                "id", "parent_message_id", "sequence", depth=tree.col.depth + 1
            ),
            all=True,
        )

    return CTE.recursive(descend)


def _places() -> QuerySet[Message, _Place]:
    tree = _descent()
    rows: QuerySet[Message, _Place] = with_cte(tree, select=tree.queryset())
    return rows


def _displayed() -> QuerySet[Message, ShownRow]:
    tree = _descent()
    rows: QuerySet[Message, ShownRow] = with_cte(
        tree,
        select=tree.join(Message, id=tree.col.id)
        .annotate(depth=tree.col.depth)
        .values_list(*SHOWN_COLUMNS, "depth"),
    )
    return rows


_PLACES: Final = Statement(_places)
_MESSAGES: Final = Statement(_displayed)


def _rows(twigs: Iterable[Twig]) -> dict[MessageId, ShownRow]:
    """The messages of these places; one deleted since the tree was read is missing."""
    return {row[0]: row for row in rows_by_id(ids=[twig.id for twig in twigs])}


def _cursor(order: Sequence[Twig], index: int) -> str:
    """Names the item's depth, the item, and its nearest ancestors going up."""
    twig = order[index]
    named = islice(ancestors(order, index), _NAMED_ANCESTORS)
    return encode_cursor(
        "replies", twig.depth, twig.sequence, *(above.sequence for above in named)
    )


def _resume(order: Sequence[Twig], cursor: str) -> int:
    """Where the page after a cursor starts, in the tree as it is now.

    Deletion eats a branch from its tip, so what is left of the item's branch is
    all from some ancestor up. Of that one's replies, read in the order of their
    sequences, those up to the one towards the item were read.
    """
    depth, *path = decode_numbers("replies", cursor) or [0]
    if not path or len(path) > min(depth, _NAMED_ANCESTORS + 1):
        raise _useless_cursor()
    index_of = {twig.sequence: index for index, twig in enumerate(order)}
    if path[0] in index_of:
        return index_of[path[0]] + 1
    for branch, sequence in pairwise(path):
        if sequence in index_of:
            index = index_of[sequence]
            return _after_branch(order, index + 1, order[index].depth, branch)
    if len(path) < depth:
        raise _useless_cursor()
    return _after_branch(order, 0, 0, path[-1])


def _after_branch(order: Sequence[Twig], start: int, depth: int, branch: int) -> int:
    """The first place after the replies, up to `branch`, to a message of this depth."""
    for index in range(start, len(order)):
        twig = order[index]
        if twig.depth <= depth or (twig.depth == depth + 1 and twig.sequence > branch):
            return index
    return len(order)


def _useless_cursor() -> InvalidCursorError:
    return InvalidCursorError(
        "This is no cursor of this list, or all that it names was deleted; "
        "leave it out to begin again.",
        field="cursor",
    )
