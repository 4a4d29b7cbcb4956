"""A thread, page by page, as people read it: indented only where it forks.

The last reply to a message goes on where the talk was. Earlier ones are branches: they
are indented, and so is what follows them. See decision 0035.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django_cte import CTE, with_cte

from messaging.access import ReadableMessage, message_not_found
from messaging.cursors import decode_numbers, encode_cursor
from messaging.database import CompiledQuery
from messaging.ids import MessageId
from messaging.models import Message
from messaging.reply_trees import MOST_ANCESTORS, TreeNode
from messaging.services.message_lists import rows_by_id
from messaging.services.threads import Reply, invalid_tree_cursor, tree_signature
from messaging.tree_walks import NAMED_ANCESTORS, PageEnd, walk

# Branches within branches that are indented. Deeper ones are not, so that texts keep
# their width on a phone, and a cursor its length.
MOST_INDENTED: Final = 8


@dataclass(slots=True)
class ThreadReply(Reply):
    """`is_branch` if it is indented, since later replies to its parent follow."""

    is_branch: bool = False


@dataclass(frozen=True, slots=True)
class ThreadPage:
    """Replies in reading order.

    `within` has the depths of the branches, indented and not ended yet, in which the
    page begins.
    """

    items: Sequence[ThreadReply]
    within: Sequence[int]
    begins: bool
    next_cursor: str | None


class _Ancestor(NamedTuple):
    id: MessageId
    parent_id: MessageId | None
    sequence: int
    has_later_sibling: bool


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page begins: with `first`, or after the end of the page before."""

    within: Sequence[int]
    end: PageEnd | None = None
    first: TreeNode | None = None


def thread_page(*, root: ReadableMessage, cursor: str | None, limit: int) -> ThreadPage:
    """The replies after a cursor, or from the first one on. It costs what it shows.

    Raises:
        InvalidCursorError: the cursor is not of this thread, or all messages that it
            names were deleted.
        MessageNotFoundError: the root was deleted meanwhile.
    """
    start = _Start(()) if cursor is None else _start_of(cursor, root)
    return _page(root, start, limit)


def thread_page_with(
    *, root: ReadableMessage, message_id: MessageId, limit: int
) -> ThreadPage:
    """The first page, if it has this message, or else a page that begins with it.

    The second costs the way up to the root, too.

    Raises:
        MessageNotFoundError: the message does not belong to the thread, or is more than
            `MOST_ANCESTORS` levels below the root.
    """
    first = _page(root, _Start(()), limit)
    if message_id == root.pk or any(each.id == message_id for each in first.items):
        return first
    way = _way_up(message_id)
    depths = {node.id: depth for depth, node in enumerate(way)}
    if root.pk not in depths:
        raise message_not_found()
    below = way[depths[MessageId(root.pk)] :]
    within = [depth for depth, node in enumerate(below) if node.has_later_sibling]
    path = [node.sequence for node in reversed(below)][: NAMED_ANCESTORS + 1]
    last, depth = below[-1], len(below) - 1
    return _page(
        root,
        _Start(
            [level for level in within if 0 < level < depth][:MOST_INDENTED],
            PageEnd(depth, path),
            TreeNode(last.id, last.parent_id, last.sequence, depth),
        ),
        limit,
    )


def thread_root(*, message: ReadableMessage) -> MessageId:
    """The message at which following replies upwards ends; itself if it answers none.

    Of a message more than `MOST_ANCESTORS` levels deep it is the topmost of those above
    it that are read: a root whose page can show the message.
    """
    if message.parent_message_id is None:
        return MessageId(message.pk)
    return _way_up(MessageId(message.pk))[0].id


def _page(root: ReadableMessage, start: _Start, limit: int) -> ThreadPage:
    before = [] if start.first is None else [start.first]
    found = walk(root=root, start=start.end, limit=limit - len(before))
    if found is None:
        raise message_not_found() if start.end is None else invalid_tree_cursor()
    nodes = [*before, *found.nodes]
    replies = _replies(nodes, start.within)
    return ThreadPage(
        replies,
        start.within,
        begins=start.end is None,
        next_cursor=None
        if found.end is None
        else _cursor(root, found.end, _open_branches(replies, start.within)),
    )


def _replies(nodes: Sequence[TreeNode], within: Sequence[int]) -> list[ThreadReply]:
    rows = rows_by_id(ids=[node.id for node in nodes])
    found = {reply.id: reply for reply in ThreadReply.from_rows(rows)}
    lasts = dict(_last_replies.all(parents={node.parent_id or 0 for node in nodes}))
    replies: list[ThreadReply] = []
    branches = list(within)
    for node in nodes:
        _leave(branches, node.depth)
        # It may have been deleted between the two queries.
        if reply := found.get(node.id):
            reply.depth = node.depth
            is_last = node.sequence >= lasts.get(node.parent_id or MessageId(0), 0)
            reply.is_branch = not is_last and len(branches) < MOST_INDENTED
            if reply.is_branch:
                branches.append(node.depth)
            replies.append(reply)
    return replies


def _open_branches(
    replies: Iterable[ThreadReply], within: Sequence[int]
) -> Sequence[int]:
    branches = list(within)
    for reply in replies:
        _leave(branches, reply.depth)
        if reply.is_branch:
            branches.append(reply.depth)
    return branches


def _leave(branches: list[int], depth: int) -> None:
    """A branch ends where a message is not deeper than its first one."""
    while branches and branches[-1] >= depth:
        branches.pop()


def _way_up(message_id: MessageId) -> Sequence[_Ancestor]:
    """A message and those above it, the topmost first; `MOST_ANCESTORS` in all, the nearest."""
    rows = map(_Ancestor._make, _ancestors.all(message=message_id))
    way = sorted(rows, key=attrgetter("sequence"))
    if not way:
        raise message_not_found()
    return way


@CompiledQuery
def _ancestors(
    *, message: MessageId
) -> QuerySet[Message, tuple[int, int | None, int, bool]]:
    columns = ("id", "parent_message_id")

    def ascend(above: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first: QuerySet[Message, Mapping[str, object]] = Message.objects.filter(
            pk=message
        ).values(*columns)
        parents: QuerySet[Message] = above.join(Message, id=above.col.parent_message_id)
        return first.union(parents.values(*columns), all=True)

    above = CTE.recursive(ascend)
    # The limit is in a CTE of its own, as in `services.threads`.
    nearest = CTE(above.queryset()[:MOST_ANCESTORS], name="nearest")
    later = Message.objects.filter(
        parent_message=OuterRef("parent_message"), sequence__gt=OuterRef("sequence")
    )
    messages: QuerySet[Message] = nearest.join(Message, id=nearest.col.id)
    rows: QuerySet[Message, tuple[int, int | None, int, bool]] = with_cte(
        above,
        nearest,
        select=messages.annotate(later=Exists(later)).values_list(
            "id", "parent_message_id", "sequence", "later"
        ),
    )
    return rows


@CompiledQuery
def _last_replies(*, parents: Collection[int]) -> QuerySet[Message, tuple[int, int]]:
    """The sequence of the last reply to each of these messages that has several."""
    replies = Message.objects.filter(parent_message=OuterRef("pk"))
    forks = Message.objects.filter(pk__in=parents, reply_count__gt=1)
    # Not by `Max`: an index has it as its last entry.
    last = Subquery(replies.order_by("-sequence").values("sequence")[:1])
    return forks.annotate(last=last).values_list("pk", "last")


def _start_of(cursor: str, root: Message) -> _Start:
    """Decode a cursor. It is signed: where it is in the tree is not looked up again."""
    match decode_numbers("thread", cursor):
        case [signature, depth, count, *rest] if count < len(rest):
            within, path = rest[:count], rest[count:]
            if signature == _signature(root, depth, within, path):
                return _Start(within, PageEnd(depth, path))
    raise invalid_tree_cursor()


def _cursor(root: Message, end: PageEnd, within: Sequence[int]) -> str:
    signature = _signature(root, end.depth, within, end.path)
    return encode_cursor(
        *("thread", signature, end.depth, len(within)), *within, *end.path
    )


def _signature(
    root: Message, depth: int, within: Sequence[int], path: Sequence[int]
) -> int:
    return tree_signature(f"thread {root.pk} {depth} {[*within]} {[*path]}")
