"""Reply trees: nested, for a thread view, or flat, page by page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

from django.db.models import IntegerField, QuerySet, Value
from django.utils.crypto import salted_hmac
from django_cte import CTE, with_cte

from messaging.access import ReadableMessage, message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.database import CompiledQuery
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId
from messaging.models import Message
from messaging.pagination import Page
from messaging.projections import MessageProjection, Row
from messaging.reply_trees import Tree, TreeNode
from messaging.services.message_lists import rows_by_id
from messaging.tree_walks import PageEnd, walk

MOST_NESTED: Final = 2000
# Descendants are counted among at most this many messages, level by level. This bounds
# the query.
MOST_COUNTED: Final = 20_000
# A signature has to fit into a cursor's number, which is below 2^63.
_SIGNATURE_BYTES: Final = 7


# The fields of a `TreeNode`.
_NodeRow = tuple[MessageId, MessageId | None, int, int]


@dataclass(slots=True)
class ThreadNode(MessageProjection):
    """A message of a nested tree.

    `descendant_count` includes replies that are cut away. In a tree of more than
    `MOST_COUNTED` messages, it counts only among the first ones, level by level.
    """

    depth: int = 0
    descendant_count: int = 0
    has_more_replies: bool = False
    replies: list["ThreadNode"] = field(default_factory=list)


@dataclass(slots=True)
class Reply(MessageProjection):
    """A message of a flat tree; a direct reply to the root has depth 1."""

    depth: int = 1


def thread(*, root: ReadableMessage, depth: int, nodes: int) -> ThreadNode:
    """A message and its replies, level by level, oldest first among siblings.

    It has at most `depth` levels below the root, and at most `nodes` messages, but
    never more than `MOST_NESTED`. One query if the whole tree is not larger, else
    three; the cost grows with the tree, up to `MOST_COUNTED` messages.

    Raises:
        MessageNotFoundError: the root was deleted meanwhile.
    """
    nodes = min(nodes, MOST_NESTED)
    # One more than wanted, to see whether the tree is larger.
    rows = _displayed.page(
        nodes + 1,
        root=MessageId(root.pk),
        conversation=ConversationId(root.conversation_id),
    )
    if not rows:
        raise message_not_found()
    if len(rows) <= nodes:
        return _whole(rows, depth=depth)
    return _cut(_tree(root), depth=depth, nodes=nodes)


def reply_page(*, root: ReadableMessage, cursor: str | None, limit: int) -> Page[Reply]:
    """The replies of a tree in reading order: each message before its replies.

    Raises:
        InvalidCursorError: the cursor is not of this list, or all messages that it
            names were deleted.
        MessageNotFoundError: the root was deleted meanwhile.
    """
    start = None if cursor is None else _page_end_of(cursor, root)
    found = walk(root=root, start=start, limit=limit)
    if found is None:
        raise message_not_found() if start is None else invalid_tree_cursor()
    replies = {reply.id: reply for reply in Reply.from_rows(_rows(found.nodes))}
    items: list[Reply] = []
    for tree_node in found.nodes:
        # It may have been deleted between the two queries.
        if reply := replies.get(tree_node.id):
            reply.depth = tree_node.depth
            items.append(reply)
    return Page(items, None if found.end is None else _cursor(root, found.end))


def _whole(rows: list[Row], *, depth: int) -> ThreadNode:
    """Nest the rows of a complete tree, cut at a depth."""
    nodes: dict[MessageId | None, ThreadNode] = {
        node.id: node for node in ThreadNode.from_rows(rows)
    }
    # By ascending sequence, a message comes before its replies.
    root, *below = sorted(nodes.values(), key=attrgetter("sequence"))
    for node in below:
        parent = nodes[node.parent_message_id]
        node.depth = parent.depth + 1
        parent.replies.append(node)
    # Replies before their parents, so that each count is complete when it is added.
    for node in reversed(below):
        parent = nodes[node.parent_message_id]
        parent.descendant_count += node.descendant_count + 1
    for node in nodes.values():
        if node.depth == depth and node.replies:
            node.has_more_replies = True
            node.replies = []
    return root


def _cut(tree: Tree, *, depth: int, nodes: int) -> ThreadNode:
    """The top of a tree, without messages that were deleted since the tree was read."""
    top = list(tree.top(depth=depth, nodes=nodes))
    found = {node.id: node for node in ThreadNode.from_rows(_rows(top))}
    counts = tree.descendant_counts()
    for tree_node in top:
        if node := found.get(tree_node.id):
            below = tree.children[tree_node.id]
            node.depth = tree_node.depth
            node.descendant_count = counts[tree_node.id]
            node.replies = [found[reply.id] for reply in below if reply.id in found]
            # A tree that was cut at `MOST_COUNTED` lacks some replies; `reply_count`
            # includes them.
            most = max(len(below), node.reply_count)
            node.has_more_replies = len(node.replies) < most
    if tree.root.id not in found:
        raise message_not_found()
    return found[tree.root.id]


def _tree(root: Message) -> Tree:
    """A message and its descendants, at most `MOST_COUNTED`, without their contents."""
    rows = _tree_nodes.page(
        MOST_COUNTED,
        root=MessageId(root.pk),
        conversation=ConversationId(root.conversation_id),
    )
    nodes = [*map(TreeNode._make, rows)]
    if not nodes:
        raise message_not_found()
    nodes.sort(key=attrgetter("sequence"))
    return Tree.from_nodes(nodes)


def _descent(root: MessageId, conversation: ConversationId) -> CTE:
    """A recursive expression for a message and all its descendants."""

    def descend(tree: CTE) -> QuerySet[Message, Mapping[str, object]]:
        # The conversation is named for tables of partitions, of which one is looked in.
        # By the tree's column: for a constant, a database may read the conversation.
        start = Message.objects.in_conversation(conversation).filter(pk=root)
        below: QuerySet[Message] = tree.join(
            Message,
            parent_message_id=tree.col.id,
            conversation_id=tree.col.conversation_id,
        )
        columns = ("id", "conversation_id", "parent_message_id", "sequence")
        first: QuerySet[Message, Mapping[str, object]] = start.values(
            *columns, depth=Value(0, IntegerField())
        )
        return first.union(below.values(*columns, depth=tree.col.depth + 1), all=True)

    return CTE.recursive(descend)


@CompiledQuery
def _tree_nodes(
    *, root: MessageId, conversation: ConversationId
) -> QuerySet[Message, _NodeRow]:
    tree = _descent(root, conversation)
    columns = ("id", "parent_message_id", "sequence", "depth")
    rows: QuerySet[Message, _NodeRow] = with_cte(
        tree, select=tree.queryset().values_list(*columns)
    )
    return rows


@CompiledQuery
def _displayed(
    *, root: MessageId, conversation: ConversationId
) -> QuerySet[Message, Row]:
    tree = _descent(root, conversation)
    # The limit is in a CTE of its own: after the join, SQLite would read the whole tree
    # before it applied the limit.
    top = CTE(tree.queryset()[: MOST_NESTED + 1], name="top")
    messages = top.join(Message, id=top.col.id, conversation_id=top.col.conversation_id)
    rows: QuerySet[Message, Row] = with_cte(
        tree, top, select=messages.values_list(*MessageProjection.columns())
    )
    return rows


def _rows(nodes: Iterable[TreeNode]) -> list[Row]:
    """The rows of these nodes' messages, except messages that were deleted meanwhile."""
    return rows_by_id(ids=[tree_node.id for tree_node in nodes])


def _page_end_of(cursor: str, root: Message) -> PageEnd:
    """Decode the cursor of the previous page.

    The signature proves that this server made the cursor for this tree. Parents never
    change, so the message still belongs to the tree; to check it would take a query for
    all its ancestors.
    """
    match decode_numbers("replies", cursor):
        case [signature, depth, *path] if path:
            page_end = PageEnd(depth, path)
            if signature == _signature(root, page_end):
                return page_end
    raise invalid_tree_cursor()


def _cursor(root: Message, page_end: PageEnd) -> str:
    return encode_cursor(
        "replies", _signature(root, page_end), page_end.depth, *page_end.path
    )


def _signature(root: Message, page_end: PageEnd) -> int:
    return tree_signature(f"{root.pk} {page_end.depth} {list(page_end.path)}")


def tree_signature(signed: str) -> int:
    """What proves that this server made a cursor; it fits into a cursor's number."""
    digest = salted_hmac("messaging.replies", signed, algorithm="sha256").digest()
    return int.from_bytes(digest[:_SIGNATURE_BYTES])


def invalid_tree_cursor() -> InvalidCursorError:
    return InvalidCursorError(
        "This is no cursor of this list, or all that it names was deleted; "
        "leave it out to begin again.",
        field="cursor",
    )
