"""Reply trees: nested, for reading at a glance, and flat, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

from django.db.models import IntegerField, QuerySet, Value
from django_cte import CTE, with_cte

from messaging.access import ReadableMessage, message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import MessageId
from messaging.models import Message
from messaging.pages import Page
from messaging.services.timelines import messages_by_id
from messaging.statements import Parameter, Statement
from messaging.trees import Tree, Twig, ancestors

# How many ancestors a cursor names: it is good while one of them is there.
_NAMED_ANCESTORS: Final = 16


# As in `Twig`.
_Place = tuple[MessageId, MessageId | None, int, int]


@dataclass(frozen=True, slots=True)
class ThreadNode:
    """A message of a nested tree. `descendant_count` counts those cut away too."""

    message: Message
    depth: int
    descendant_count: int
    has_more_replies: bool
    replies: list["ThreadNode"]


@dataclass(frozen=True, slots=True)
class Reply:
    """A message of a flat tree; direct replies to its root have depth 1."""

    message: Message
    depth: int


def thread(*, root: ReadableMessage, depth: int, nodes: int) -> ThreadNode:
    """A message and its replies, level by level, oldest first among siblings.

    At most `depth` levels below the root and `nodes` messages, the root among
    them. Three queries, whatever the size; the cost grows with the whole tree.
    """
    tree = _tree(root)
    counts = tree.descendant_counts()
    shallow = (twig for twig in tree.by_levels() if twig.depth <= depth)
    shown = list(islice(shallow, nodes))
    messages = _messages(shown) | {tree.root.id: root}
    assembled: dict[MessageId, ThreadNode] = {}
    # From the deepest up: every node finds its replies complete.
    for twig in reversed(shown):
        replies = [
            assembled[reply.id]
            for reply in tree.children[twig.id]
            if reply.id in assembled
        ]
        if twig.id not in messages:
            continue
        assembled[twig.id] = ThreadNode(
            message=messages[twig.id],
            depth=twig.depth,
            descendant_count=counts[twig.id],
            has_more_replies=len(replies) < len(tree.children[twig.id]),
            replies=replies,
        )
    return assembled[tree.root.id]


def reply_page(*, root: ReadableMessage, cursor: str | None, limit: int) -> Page[Reply]:
    """A tree without its root in reading order: a message, then its replies.

    Raises:
        InvalidCursorError: not of this list, or all that it names was deleted.
    """
    order = list(_tree(root).reading_order())
    start = 0 if cursor is None else _resume(order, cursor)
    shown = order[start : start + limit]
    messages = _messages(shown)
    items = [
        Reply(messages[twig.id], twig.depth) for twig in shown if twig.id in messages
    ]
    end = start + len(shown)
    return Page(items, _cursor(order, end - 1) if end < len(order) else None)


def _tree(root: Message) -> Tree:
    """The places of a message and of all below it."""
    twigs = [Twig(*row) for row in _TREE.all(root=root.pk)]
    if not twigs:
        raise message_not_found()
    return Tree.grow(twigs)


def _places() -> QuerySet[Message, _Place]:
    """One recursive expression, in the order of the sequences."""

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

    tree = CTE.recursive(descend)
    rows: QuerySet[Message, _Place] = with_cte(tree, select=tree.queryset())
    return rows.order_by("sequence")


_TREE: Final = Statement(_places)


def _messages(twigs: Sequence[Twig]) -> dict[MessageId, Message]:
    """The messages of these places; one deleted since the tree was read is missing."""
    rows = messages_by_id(ids=[twig.id for twig in twigs])
    return {MessageId(message.pk): message for message in rows}


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
