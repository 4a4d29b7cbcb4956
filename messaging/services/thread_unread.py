"""What is unread in a thread: on a page of it, below each of its messages, and elsewhere."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django_cte import CTE, with_cte

from messaging.access import Membership
from messaging.database import CompiledQuery
from messaging.ids import MessageId
from messaging.models import Message, Notification
from messaging.projections import MessageProjection
from messaging.reply_trees import MOST_ANCESTORS

# What is looked at besides the page: the oldest unread messages of the conversation that
# are newer than the root, and `MOST_ANCESTORS` above them. What is beyond is not counted.
_MOST_UNREAD: Final = 300


@dataclass(frozen=True, slots=True)
class ThreadUnread:
    """`below` counts, for messages of the page, what follows them on other pages."""

    on_page: Collection[MessageId]
    below: Mapping[MessageId, int]
    # The oldest that is on another page.
    elsewhere: MessageId | None
    count: int


def thread_unread(
    *, membership: Membership, root: MessageProjection, page: Iterable[MessageId]
) -> ThreadUnread:
    """Unread messages of a thread; at most three queries.

    What is on the page is exact. Of the rest, it counts those that are among the
    `_MOST_UNREAD` oldest of the conversation since the root.
    """
    reader, conversation = membership.user_id, membership.conversation_id
    shown = {root.id, *page}
    since = root.sequence
    oldest = sorted(_oldest.all(reader=reader, conversation=conversation, root=root.id))
    if not oldest:
        return ThreadUnread((), {}, None, 0)
    unread = _among.all(reader=reader, messages=shown)
    on_page = {MessageId(message) for (message,) in unread}
    others = {
        MessageId(message): MessageId(parent)
        for message, parent in oldest
        if message not in shown and parent is not None
    }
    places = _places(others, shown, since) if others else {}
    inside = [message for message in others if message in places]
    return ThreadUnread(
        on_page,
        Counter(places[message] for message in inside),
        inside[0] if inside else None,
        len(on_page) + len(inside),
    )


def _places(
    messages: Mapping[MessageId, MessageId], shown: Collection[MessageId], since: int
) -> Mapping[MessageId, MessageId]:
    """By message, the nearest above it that the page shows; none of another thread."""
    # Looked up from the parents on, but for those that the page shows.
    parents: dict[MessageId, MessageId | None] = dict(messages)
    starts = {parent for parent in messages.values() if parent not in shown}
    rows = _ancestors.page(MOST_ANCESTORS, starts=starts, shown=shown, since=since)
    parents |= dict(rows)
    places = {message: message for message in shown}
    for message in messages:
        way: list[MessageId] = []
        here: MessageId | None = message
        while here is not None and here not in places:
            way.append(here)
            here = parents.get(here)
        if here is not None:
            places |= dict.fromkeys(way, places[here])
        else:
            # Nothing on this way is looked at again.
            parents |= dict.fromkeys(way)
    return {message: places[message] for message in messages if message in places}


@CompiledQuery
def _oldest(
    *, reader: int, conversation: int, root: int
) -> QuerySet[Message, tuple[int, int | None]]:
    """The `_MOST_UNREAD` oldest since the root, in no order, with what they answer."""
    # By ids, in the order of which an index has them: no reply is older than its root.
    # `IN`, so that SQLite takes that index: see `unread_in`.
    unread = Notification.objects.filter(
        conversation=conversation,
        user=reader,
        is_read__in=(False,),
        message__gte=root,
    )
    # Cut before messages are joined, and sorted by the caller: for an ordered join,
    # PostgreSQL would read all messages up to these.
    first = unread.order_by("message_id").values("message_id")[:_MOST_UNREAD]
    rows = Message.objects.filter(pk__gte=root, pk__in=first)
    return rows.values_list("id", "parent_message_id")


@CompiledQuery
def _among(
    *, reader: int, messages: Collection[int]
) -> QuerySet[Notification, tuple[int]]:
    unread = Notification.objects.filter(
        message__in=messages, user=reader, is_read=False
    )
    return unread.values_list("message_id")


@CompiledQuery
def _ancestors(
    *, starts: Collection[int], shown: Collection[int], since: int
) -> QuerySet[Message, tuple[MessageId, MessageId | None]]:
    """These messages and those above, up to a shown one or one before the thread."""
    columns = ("id", "parent_message_id")

    def ascend(above: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first: QuerySet[Message, Mapping[str, object]] = Message.objects.filter(
            pk__in=starts
        ).values(*columns)
        parents: QuerySet[Message] = above.join(Message, id=above.col.parent_message_id)
        rest = parents.filter(sequence__gt=since).exclude(pk__in=shown)
        # `UNION` drops what was found before: each message is there once.
        return first.union(rest.values(*columns))

    above = CTE.recursive(ascend)
    rows: QuerySet[Message, tuple[MessageId, MessageId | None]] = with_cte(
        above, select=above.queryset().values_list(*columns)
    )
    return rows
