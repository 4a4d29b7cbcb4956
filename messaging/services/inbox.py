"""What somebody has not read yet, over all conversations."""

from dataclasses import dataclass
from typing import Final, cast

from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.cursors import decode_number, encode_cursor
from messaging.errors import InvalidCursorError
from messaging.ids import (
    MAX_ID,
    Position,
    UserId,
)
from messaging.models import (
    Installation,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.models.notifications import NotificationKind
from messaging.pages import Page, cut_page
from messaging.services.installation import read_clock
from messaging.services.notifications import mark_read
from messaging.shown import SHOWN_COLUMNS, ShownMessage, ShownRow, shown_messages
from messaging.statements import Parameter, Statement, number_of


@dataclass(frozen=True, slots=True)
class InboxSummary:
    """How much is unread. `up_to` covers just what is counted here."""

    unread_count: int
    mention_count: int
    conversation_count: int
    up_to: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of unread messages. `up_to` covers all that had arrived when it was read."""

    page: Page[ShownMessage]
    up_to: str


def _unread() -> QuerySet[Message, ShownRow]:
    unread = Message.unread.for_user(Parameter("reader"))
    return unread.filter(Q(position__lt=Parameter("before"))).values_list(
        *SHOWN_COLUMNS, "position"
    )


def _summary() -> QuerySet[Installation, tuple[Position, int, int, int]]:
    """The clock and the counts, in one statement: of one moment."""
    unread = Notification.objects.unread().filter(user=Parameter("reader"))
    here = Notification.objects.unread_in(OuterRef("conversation")).filter(
        user=OuterRef("user")
    )
    return Installation.objects.filter(pk=Installation.ONLY_ID).values_list(
        "clock",
        number_of(unread),
        number_of(unread.filter(kind=NotificationKind.MENTION)),
        number_of(Participant.objects.filter(Exists(here), user=Parameter("reader"))),
    )


_UNREAD: Final = Statement(_unread)
_SUMMARY: Final = Statement(_summary)


def unread_messages(*, reader: User, cursor: str | None, limit: int) -> Inbox:
    """Unread messages of all conversations, newest first."""
    # The clock before the messages: one that arrives in between must stay unread.
    up_to = _up_to_cursor(read_clock())
    before = MAX_ID if cursor is None else decode_number("inbox", cursor)
    rows = cut_page(
        _UNREAD.page(limit + 1, reader=reader.pk, before=before),
        limit=limit,
        cursor_of=lambda row: encode_cursor("inbox", cast(int, row[-1])),
    )
    return Inbox(Page(shown_messages(rows.items), rows.next_cursor), up_to)


def inbox_summary(*, reader: UserId) -> InboxSummary:
    """Count what is unread."""
    ((position, unread, mentions, conversations),) = _SUMMARY.all(reader=reader)
    return InboxSummary(unread, mentions, conversations, _up_to_cursor(position))


def mark_inbox_read(*, reader: UserId, up_to: str) -> None:
    """Clear the inbox of what had arrived when the cursor was made.

    Raises:
        InvalidCursorError: not an `up_to` of the inbox or its summary.
    """
    try:
        position = decode_number("up_to", up_to)
    except InvalidCursorError as error:
        raise InvalidCursorError(
            "This is no `up_to` of the inbox or its summary.", field="up_to"
        ) from error
    mark_read(Notification.objects.filter(position__lte=position), reader=reader)


def _up_to_cursor(position: Position) -> str:
    return encode_cursor("up_to", position)
