"""Catch up: what waits for a person, by conversation and thread, oldest first.

What waits is what their badge counts: all that is unread, but of muted conversations
only mentions. See decision 0032.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from operator import attrgetter
from typing import Final, NamedTuple

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from messaging.cursors import decode_numbers, encode_cursor
from messaging.database import CompiledQuery
from messaging.errors import InvalidCursorError
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Notification, Participant
from messaging.models.conversations import ConversationKind
from messaging.models.notifications import NotificationKind
from messaging.pagination import Page, cut_page
from messaging.projections import MessageProjection, NotificationProjection, Row
from messaging.services.message_lists import messages_by_id
from messaging.services.summaries import ConversationSummary, summaries_for
from messaging.services.thread_roots import thread_roots

# Messages of one conversation on a page: a busy one must not push out the others.
MOST_OF_ONE: Final = 25


class Shown(StrEnum):
    """Which of it is shown."""

    ALL = "all"
    MENTIONS = "mentions"
    REPLIES = "replies"


_Kinds = frozenset[str]
_KINDS: Final[Mapping[Shown, _Kinds]] = {
    Shown.ALL: frozenset(NotificationKind.values),
    Shown.MENTIONS: frozenset({NotificationKind.MENTION}),
    Shown.REPLIES: frozenset({NotificationKind.REPLY}),
}


@dataclass(slots=True)
class UnreadThread:
    """What waits below one root, which may be among it; or, without a root, in no thread."""

    root: MessageProjection | None
    notifications: list[NotificationProjection] = field(default_factory=list)


@dataclass(slots=True)
class UnreadConversation:
    """A conversation with the oldest of what waits in it; the cursor leads to the rest."""

    conversation: ConversationSummary
    mention_count: int
    reply_count: int
    threads: list[UnreadThread]
    next_cursor: str | None


@dataclass(slots=True)
class CatchUp:
    """A page of conversations; the counts are of all that waits, whatever the filter."""

    items: list[UnreadConversation]
    next_cursor: str | None
    badge_count: int
    mention_count: int
    reply_count: int


@dataclass(slots=True)
class _Waiting:
    """How much of each kind waits in a conversation, and the first message."""

    conversation: ConversationId
    is_direct: bool
    counts: dict[str, int] = field(default_factory=dict)
    firsts: dict[str, int] = field(default_factory=dict)

    def count(self, kinds: Iterable[str]) -> int:
        return sum(self.counts.get(kind, 0) for kind in kinds)

    def place(self, kinds: _Kinds) -> "_Place":
        found = self.counts.keys() & kinds
        personal = self.is_direct or found > {NotificationKind.MESSAGE}
        first = min(self.firsts[kind] for kind in found)
        return _Place(0 if personal else 1, first, self.conversation)


class _Place(NamedTuple):
    """Where a conversation comes: what was written to the reader, then what waited longest."""

    rank: int
    message: int
    conversation: int


class _Rest(NamedTuple):
    """Where a page of one conversation ended."""

    conversation: int
    message: int


def catch_up(
    *, reader: UserId, show: Shown, cursor: str | None, limit: int, messages: int
) -> CatchUp:
    """The conversations in which something waits, each with its oldest messages.

    At most `limit` of them, and so many that they have at most as many messages as
    `messages` or `MOST_OF_ONE`, whichever is more. First those in which it was written
    to the reader (directly, as a mention or as a reply), then by how long the oldest has
    waited. The cursor of a page leads to more conversations; the cursor of a
    conversation to a page with more of its messages.

    Raises:
        InvalidCursorError: the cursor is not of this list.
    """
    kinds = _KINDS[show]
    waiting = _waiting(reader)
    match None if cursor is None else _decoded(cursor):
        case _Rest(conversation, message):
            chosen = [each for each in waiting if each.conversation == conversation]
            page, since = Page(chosen, None), message
        case start:
            after = _after(start, waiting, kinds)
            page, since = _cut(after, kinds, limit=limit, messages=messages), 0
    return CatchUp(
        _unread_conversations(reader, page.items, kinds, since),
        page.next_cursor,
        badge_count=sum(each.count(NotificationKind.values) for each in waiting),
        mention_count=sum(each.count([NotificationKind.MENTION]) for each in waiting),
        reply_count=sum(each.count([NotificationKind.REPLY]) for each in waiting),
    )


def _waiting(reader: UserId) -> list[_Waiting]:
    """What waits in each conversation. Its cost grows with what is unread, as that of the badge."""
    counted = _counts.all(reader=reader)
    muted: dict[int, bool] = {}
    found: dict[int, _Waiting] = {}
    rows = _participations.all(reader=reader, conversations={row[0] for row in counted})
    for conversation, kind, is_muted in rows:
        is_direct = kind == ConversationKind.DIRECT
        muted[conversation] = is_muted
        found[conversation] = _Waiting(ConversationId(conversation), is_direct)
    for conversation, kind, count, first in counted:
        # The reader may have left since.
        if conversation not in found:
            continue
        if kind == NotificationKind.MENTION or not muted[conversation]:
            found[conversation].counts[kind] = count
            found[conversation].firsts[kind] = first
    return [each for each in found.values() if each.counts]


def _after(
    start: _Place | None, waiting: Iterable[_Waiting], kinds: _Kinds
) -> list[_Waiting]:
    """The conversations after a place, in their order."""
    placed = {each.place(kinds): each for each in waiting if each.count(kinds)}
    return [placed[place] for place in sorted(placed) if not start or place > start]


def _cut(
    waiting: Sequence[_Waiting], kinds: _Kinds, *, limit: int, messages: int
) -> Page[_Waiting]:
    """As many conversations as a page takes, but at least one."""
    sizes = accumulate(min(each.count(kinds), MOST_OF_ONE) for each in waiting)
    fitting = bisect_right([*sizes], max(messages, MOST_OF_ONE))
    return cut_page(
        waiting,
        limit=min(limit, fitting),
        cursor_of=lambda each: encode_cursor("waiting", *each.place(kinds)),
    )


def _decoded(cursor: str) -> _Place | _Rest:
    match decode_numbers("waiting", cursor):
        case [rank, message, conversation]:
            return _Place(rank, message, conversation)
        case [conversation, message]:
            return _Rest(conversation, message)
        case _:
            raise InvalidCursorError("This is no cursor of this list.", field="cursor")


def _unread_conversations(
    reader: UserId, chosen: Sequence[_Waiting], kinds: _Kinds, since: int
) -> list[UnreadConversation]:
    pages = _pages(reader, chosen, kinds, since)
    shown = [each for page in pages.values() for each in page.items]
    threads = _threads(shown)
    summaries = {
        summary.id: summary
        for _, summary in summaries_for(users=[reader], conversations=[*pages])
    }
    return [
        UnreadConversation(
            summaries[each.conversation],
            each.count([NotificationKind.MENTION]),
            each.count([NotificationKind.REPLY]),
            threads[each.conversation],
            pages[each.conversation].next_cursor,
        )
        for each in chosen
        # It may have been read, left or deleted since it was counted.
        if each.conversation in pages and each.conversation in summaries
    ]


def _pages(
    reader: UserId, chosen: Iterable[_Waiting], kinds: _Kinds, since: int
) -> dict[ConversationId, Page[NotificationProjection]]:
    """The oldest of what waits in each of these conversations."""

    def having(kind: NotificationKind) -> list[ConversationId]:
        wanted = (each for each in chosen if kind in each.counts.keys() & kinds)
        return [each.conversation for each in wanted]

    rows = _oldest.all(
        reader=reader,
        messages=having(NotificationKind.MESSAGE),
        mentions=having(NotificationKind.MENTION),
        replies=having(NotificationKind.REPLY),
        since=since,
    )
    found: dict[ConversationId, list[NotificationProjection]] = defaultdict(list)
    oldest_first = attrgetter("message.id")
    for each in sorted(NotificationProjection.from_rows(rows), key=oldest_first):
        found[each.message.conversation_id].append(each)
    return {conversation: _page(each) for conversation, each in found.items()}


def _page(
    notifications: Sequence[NotificationProjection],
) -> Page[NotificationProjection]:
    return cut_page(
        notifications,
        limit=MOST_OF_ONE,
        cursor_of=lambda last: encode_cursor(
            "waiting", last.message.conversation_id, last.message.id
        ),
    )


def _threads(
    notifications: Sequence[NotificationProjection],
) -> dict[ConversationId, list[UnreadThread]]:
    """By conversation: a thread for each root, in the order of what waits first in each."""
    shown = {each.message.id: each.message for each in notifications}
    roots = thread_roots(messages=shown.values())
    hidden = {*roots.values()} - shown.keys()
    shown |= {message.id: message for message in messages_by_id(ids=hidden)}
    answered = {*roots.values()}
    threads: dict[tuple[ConversationId, MessageId | None], UnreadThread] = {}
    for each in notifications:
        message = each.message
        own = message.id if message.id in answered else None
        root = roots.get(message.id, own)
        shown_root = None if root is None else shown.get(root)
        key = (message.conversation_id, root)
        thread = threads.setdefault(key, UnreadThread(shown_root))
        thread.notifications.append(each)
    found: dict[ConversationId, list[UnreadThread]] = defaultdict(list)
    for (conversation, _), thread in threads.items():
        found[conversation].append(thread)
    return found


@CompiledQuery
def _counts(*, reader: UserId) -> QuerySet[Notification, tuple[int, str, int, int]]:
    unread = Notification.objects.of(reader).unread().order_by()
    by_kind = unread.values("conversation", "kind")
    return by_kind.annotate(count=Count("*"), first=Min("message")).values_list(
        "conversation", "kind", "count", "first"
    )


@CompiledQuery
def _participations(
    *, reader: UserId, conversations: Collection[int]
) -> QuerySet[Participant, tuple[int, str, bool]]:
    theirs = Participant.objects.filter(user=reader, conversation__in=conversations)
    return theirs.values_list("conversation", "conversation__kind", "muted")


@CompiledQuery
def _oldest(
    *,
    reader: UserId,
    messages: Collection[int],
    mentions: Collection[int],
    replies: Collection[int],
    since: int,
) -> QuerySet[Notification, Row]:
    """One more of each conversation than a page has, in no particular order.

    The ids are found first: else each row would be sorted with its message's text.
    """
    wanted = (
        Q(kind=NotificationKind.MESSAGE, conversation__in=messages)
        | Q(kind=NotificationKind.MENTION, conversation__in=mentions)
        | Q(kind=NotificationKind.REPLY, conversation__in=replies)
    )
    unread = Notification.objects.of(reader).unread().filter(wanted, message__gt=since)
    numbered = unread.annotate(
        number=Window(RowNumber(), partition_by=F("conversation"), order_by="message")
    )
    oldest = numbered.filter(number__lte=MOST_OF_ONE + 1).values("pk")
    return Notification.objects.filter(pk__in=oldest).values_list(
        *NotificationProjection.columns()
    )
