"""The inbox: a user's unread messages of all conversations."""

from dataclasses import dataclass
from typing import Annotated, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.changes.numbering import number_events
from messaging.cursors import decode_number, decode_numbers, encode_cursor
from messaging.database import CompiledQuery, joined, number_of, number_up_to
from messaging.errors import InvalidCursorError
from messaging.ids import MAX_ID, Position, UserId
from messaging.models import (
    Event,
    Installation,
    LookNotice,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.pagination import Page, cut_page
from messaging.projections import From, MessageProjection, Projection, Row
from messaging.services.installation import read_clock, shown_name
from messaging.services.read_marks import ReadRequest, mark_read
from messaging.services.unread_lookups import unread_among

# A page shows "999+" for more.
_MOST_SHOWN: Final = 999


@dataclass(frozen=True, slots=True)
class InboxSummary:
    """Unread counts. Marking read up to the cursor `up_to` clears exactly the counted messages.

    `badge_count` leaves out conversations that are muted now, except mentions.
    `new_looks` are looks of staff that the user has not marked as seen: see
    services/looks.py.
    """

    unread_count: int
    badge_count: int
    mention_count: int
    conversation_count: int
    new_looks: int
    up_to: str


@dataclass(frozen=True, slots=True)
class PageHeader:
    """What every page shows at its head; the counts are those of `InboxSummary`.

    Of very many unread messages some are not counted: the numbers are then above what a
    page shows, and below what there are.
    """

    server_name: str
    unread_count: int
    badge_count: int
    new_looks: int


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of unread messages. The cursor `up_to` covers all messages that had arrived then."""

    page: Page[MessageProjection]
    up_to: str


@CompiledQuery
def _unread(*, reader: UserId, before: int) -> QuerySet[Message, Row]:
    unread = Message.unread.for_user(reader)
    return unread.filter(Q(place__lt=before)).values_list(*MessageProjection.columns())


@dataclass(slots=True)
class _Head(Projection):
    """What is read by one query, so that it agrees."""

    clock: Position
    server_name: str
    unread: int
    unread_in_muted: int
    mentions_in_muted: int
    new_looks: int

    @property
    def badge_count(self) -> int:
        return self.unread - self.unread_in_muted + self.mentions_in_muted


@dataclass(slots=True)
class _Summary(Projection):
    """The same, with the mentions and the conversations that are unread."""

    head: Annotated[_Head, From("")]
    mentions: int
    conversations: int
    # The ids of events whose messages are counted, and which have no position yet.
    waiting: str | None


@CompiledQuery
def _head(*, reader: UserId) -> QuerySet[Installation, Row]:
    return _counted(reader).values_list(*_Head.columns())


@CompiledQuery
def _shown_head(*, reader: UserId) -> QuerySet[Installation, Row]:
    unread = Notification.objects.unread().filter(user=reader)
    return (
        _counted(reader)
        .annotate(unread=number_up_to(_MOST_SHOWN + 1, unread))
        .values_list(*_Head.columns())
    )


@CompiledQuery
def _summary(*, reader: UserId) -> QuerySet[Installation, Row]:
    here = Notification.objects.unread_in(OuterRef("conversation")).filter(
        user=OuterRef("user")
    )
    waiting = Participant.objects.filter(Exists(here), user=reader)
    mentions = Notification.objects.unread_mentions().filter(user=reader)
    waiting_events = Event.objects.waiting()
    # By the message there is an index; but its edit may be what waits.
    unnumbered = Notification.objects.filter(
        user=reader,
        message__in=waiting_events.values("message_id"),
        position__in=waiting_events.values("pk"),
    )
    return (
        _counted(reader)
        .annotate(
            mentions=number_of(mentions),
            conversations=number_of(waiting),
            waiting=joined(unnumbered, "position"),
        )
        .values_list(*_Summary.columns())
    )


def _counted(reader: UserId) -> QuerySet[Installation]:
    unread = Notification.objects.unread().filter(user=reader)
    mentions = Notification.objects.unread_mentions().filter(user=reader)
    muted = Participant.objects.filter(user=reader, muted=True).values("conversation")
    # `is_read__in`: see `unread_in`.
    in_muted = Notification.objects.filter(
        user=reader, conversation__in=muted, is_read__in=(False,)
    )
    return Installation.objects.filter(pk=Installation.ONLY_ID).annotate(
        unread=number_of(unread),
        unread_in_muted=number_of(in_muted),
        mentions_in_muted=number_of(mentions.filter(conversation__in=muted)),
        new_looks=number_of(LookNotice.objects.new().filter(user=reader)),
    )


def unread_messages(*, reader: User, cursor: str | None, limit: int) -> Inbox:
    """Unread messages of all conversations, newest first."""
    # Read the clock first: a message that arrives between the two queries must not be
    # cleared by `up_to`.
    up_to = up_to_now()
    before = MAX_ID if cursor is None else decode_number("unread", cursor)
    page = cut_page(
        MessageProjection.from_rows(
            _unread.page(limit + 1, reader=UserId(reader.pk), before=before)
        ),
        limit=limit,
        cursor_of=lambda message: encode_cursor("unread", message.id),
    )
    return Inbox(page, up_to)


def inbox_summary(*, reader: UserId) -> InboxSummary:
    """Count the unread messages, mentions and conversations.

    One query, and another one for whom something arrived within the last milliseconds.
    """
    counted = _summary_of(reader)
    if counted.waiting:
        number_events()
        counted = _summary_of(reader)
    return InboxSummary(
        unread_count=counted.head.unread,
        badge_count=counted.head.badge_count,
        mention_count=counted.mentions,
        conversation_count=counted.conversations,
        new_looks=counted.head.new_looks,
        up_to=_up_to_cursor(counted.head.clock, waiting=counted.waiting),
    )


def _summary_of(reader: UserId) -> _Summary:
    (counted,) = _Summary.from_rows(_summary.all(reader=reader))
    return counted


def page_header(*, reader: UserId) -> PageHeader:
    """The server's name and what is counted at the head of a page; one query.

    And another one for whom very much is unread, some of it in muted conversations.
    """
    (head,) = _Head.from_rows(_shown_head.all(reader=reader))
    if head.unread > _MOST_SHOWN and head.unread_in_muted:
        (head,) = _Head.from_rows(_head.all(reader=reader))
    return PageHeader(
        server_name=shown_name(head.server_name),
        unread_count=head.unread,
        badge_count=head.badge_count,
        new_looks=head.new_looks,
    )


def up_to_now() -> str:
    """The cursor `up_to` of all that has arrived. Read it before what is shown with it."""
    return _up_to_cursor(read_clock())


def mark_inbox_read(*, reader: UserId, up_to: str) -> None:
    """Mark all messages read that had arrived when the cursor was made; idempotent.

    Raises:
        InvalidCursorError: the text is no `up_to` of the inbox or its summary.
    """
    position, counted = _decoded(up_to)
    # Events that are not kept any more are older than any cursor in use.
    later = Event.objects.filter(
        Q(position__gt=position) | Q(position__isnull=True), pk=OuterRef("position")
    ).exclude(pk__in=counted)
    arrived = Notification.objects.filter(~Exists(later))
    # A cursor of before a restore may be ahead of the clock.
    since = min(Position(position), read_clock())
    mark_read(ReadRequest(unread_among(arrived, reader=reader), reader, since=since))


def _decoded(up_to: str) -> tuple[int, list[int]]:
    """The position, and the ids of the events after it that were counted without one."""
    fault = InvalidCursorError(
        "This is no `up_to` of the inbox or its summary.", field="up_to"
    )
    try:
        position, *counted = decode_numbers("up_to", up_to)
    except (InvalidCursorError, ValueError) as error:
        raise fault from error
    later = Event.objects.exclude(position__lte=position).filter(pk__in=counted)
    # Of events that are not kept any more nothing can be said.
    kept = Installation.objects.filter(forgotten__lte=position)
    if counted and later.count() != len(counted) and kept.exists():
        raise fault
    return position, counted


def _up_to_cursor(position: Position, *, waiting: str | None = None) -> str:
    return encode_cursor("up_to", position, *map(int, (waiting or "").split()))
