"""Looking up unread notifications that are to be marked read, without reading many others."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from django.db.models import Q

from messaging.access import Membership
from messaging.database import BATCH_SIZE
from messaging.ids import Sequence as MessageSequence
from messaging.ids import UserId
from messaging.models import Notification
from messaging.models.notifications import NotificationQuerySet
from messaging.sequence_ranges import SequenceRange, clusters, within

# Unread notifications that one query fetches.
_LOOKED_UP: Final = 20 * BATCH_SIZE
# Messages that a person may see within minutes: so many are looked up one by one.
_SCREENS: Final = 2000


class UnreadMessage(NamedTuple):
    notification: int
    conversation: int
    sequence: int


def unread_among(
    notifications: NotificationQuerySet, *, reader: UserId
) -> Iterator[UnreadMessage]:
    """What is unread by conversation and sequence: a batch locks few conversations."""
    conversation = sequence = 0
    while True:
        later = Q(conversation__gt=conversation) | Q(
            conversation=conversation, message__sequence__gt=sequence
        )
        unread = notifications.of(reader).unread().filter(later)
        page = _page(unread.order_by("conversation", "message__sequence"))
        yield from page
        if len(page) < _LOOKED_UP:
            return
        # Keyset pagination: rows marked read meanwhile do not shift the next page.
        _, conversation, sequence = page[-1]


def unread_within(
    ranges: Iterable[SequenceRange], *, membership: Membership
) -> Iterator[UnreadMessage]:
    """What is unread in these ranges, which are ascending and disjoint.

    Reads few rows besides: those between neighbouring ranges, and once what is unread in
    the conversation if a range is wide.
    """
    for cluster in clusters(ranges, width=_SCREENS):
        span = SequenceRange(cluster[0].first, cluster[-1].last)
        for unread in _unread_in_span(span, membership):
            # Compared here, since a database would compare each row with each range.
            if within(cluster, unread.sequence):
                yield unread


def _unread_in_span(
    span: SequenceRange, membership: Membership
) -> Iterator[UnreadMessage]:
    narrow = span.last - span.first < _SCREENS
    page = _page_of(span, membership, by_messages=narrow)
    yield from page
    while len(page) == _LOOKED_UP:
        rest = SequenceRange(MessageSequence(page[-1].sequence + 1), span.last)
        # By messages: by what is unread, each page would sort the whole rest again.
        page = _page_of(rest, membership, by_messages=True)
        yield from page


def _page_of(
    span: SequenceRange, membership: Membership, *, by_messages: bool
) -> Sequence[UnreadMessage]:
    rows = Notification.objects.of(UserId(membership.user_id)).filter(
        message__sequence__range=(span.first, span.last)
    )
    if by_messages:
        rows = rows.unread().filter(message__conversation=membership.conversation_id)
    else:
        # `is_read__in`: see `unread_in`.
        rows = rows.filter(
            conversation=membership.conversation_id, is_read__in=(False,)
        )
    return _page(rows.order_by("message__sequence"))


def _page(unread: NotificationQuerySet) -> Sequence[UnreadMessage]:
    rows = unread.values_list("pk", "conversation", "message__sequence")
    return [UnreadMessage(*row) for row in rows[:_LOOKED_UP]]
