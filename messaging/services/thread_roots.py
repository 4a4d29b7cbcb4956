"""The roots of threads: the messages at which following replies upwards ends."""

from collections.abc import Collection, Iterable, Mapping
from operator import attrgetter
from typing import NamedTuple

from django.db.models import QuerySet
from django_cte import CTE, with_cte

from messaging.database import CompiledQuery
from messaging.ids import MessageId
from messaging.models import Message
from messaging.projections import MessageProjection
from messaging.reply_trees import MOST_ANCESTORS


class _Ancestor(NamedTuple):
    id: MessageId
    parent_id: MessageId | None
    sequence: int


def thread_roots(
    *, messages: Iterable[MessageProjection]
) -> Mapping[MessageId, MessageId]:
    """The root's id of each of these messages that is a reply; one query."""
    parents = {
        message.id: message.parent_message_id
        for message in messages
        if message.parent_message_id is not None
    }
    roots = _roots_above(set(parents.values()))
    return {reply: roots[parent] for reply, parent in parents.items()}


def _roots_above(starts: Collection[MessageId]) -> Mapping[MessageId, MessageId]:
    """The root of each message on the way up from these, themselves included."""
    rows = _ancestors.page(MOST_ANCESTORS, starts=starts)
    # By ascending sequence, the parent's root is known before its replies ask for it.
    roots = {start: start for start in starts}
    for node in sorted(map(_Ancestor._make, rows), key=attrgetter("sequence")):
        roots[node.id] = roots.get(node.parent_id or node.id, node.id)
    return roots


@CompiledQuery
def _ancestors(
    *, starts: Collection[int]
) -> QuerySet[Message, tuple[MessageId, MessageId | None, int]]:
    """These messages and all above them, each once: `UNION` drops what was found before."""
    columns = ("id", "parent_message_id", "sequence")

    def ascend(above: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first: QuerySet[Message, Mapping[str, object]] = Message.objects.filter(
            pk__in=starts
        ).values(*columns)
        parents: QuerySet[Message] = above.join(Message, id=above.col.parent_message_id)
        return first.union(parents.values(*columns))

    above = CTE.recursive(ascend)
    rows: QuerySet[Message, tuple[MessageId, MessageId | None, int]] = with_cte(
        above, select=above.queryset().values_list(*columns)
    )
    return rows
