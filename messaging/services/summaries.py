"""Conversations as one who takes part sees them in a list."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypedDict

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django_stubs_ext import WithAnnotations

from messaging.access import Membership
from messaging.cursors import (
    decode_numbers,
    encode_cursor,
    moment_number,
    numbered_moment,
)
from messaging.errors import InvalidCursorError
from messaging.ids import UserId
from messaging.models import (
    Conversation,
    Message,
    Notification,
    Participant,
    User,
)
from messaging.pages import Page, cut_page
from messaging.services.timelines import messages_by_id
from messaging.shown import ShownMessage
from messaging.statements import Parameter, Statement, number_of
from messaging.text import is_storable

_MOST_RECENT_FIRST: Final = ("-conversation__last_activity_at", "-conversation_id")


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """A conversation as one participant sees it in a list."""

    conversation: Conversation
    role: str
    muted: bool
    hidden: bool
    # The other one of a direct conversation.
    other: User | None
    participant_count: int
    unread_count: int
    last_message: ShownMessage | None


class _Counts(TypedDict):
    participant_count: int
    unread_count: int
    last_message_id: int | None


def conversation_page(
    *, reader: UserId, cursor: str | None, limit: int, matching: str | None = None
) -> Page[ConversationSummary]:
    """A person's conversations, the most recently active first, hidden ones left out.

    `matching` leaves those with this in the group's title or the other's names,
    whatever its case; and the hidden ones among them.
    """
    rows = _rows_of_page(reader, cursor, limit + 1, matching)
    page = cut_page(
        rows,
        limit=limit,
        cursor_of=lambda part: encode_cursor(
            "conversations",
            moment_number(part.conversation.last_activity_at),
            part.conversation_id,
        ),
    )
    return Page(_summaries(page.items), page.next_cursor)


def conversation_summary(*, membership: Membership) -> ConversationSummary:
    """One conversation, as the list shows it."""
    return _summaries(_LISTED_ONE.all(part=membership.pk))[0]


def summaries_for(
    *, users: Collection[UserId], conversations: Collection[int]
) -> Iterable[tuple[UserId, ConversationSummary]]:
    """These conversations, as each of these people who take part sees them."""
    parts = list(
        _with_counts(
            Participant.objects.filter(user__in=users, conversation__in=conversations)
        )
    )
    people = (UserId(part.user_id) for part in parts)
    return zip(people, _summaries(parts), strict=True)


def _rows_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str | None
) -> "Sequence[WithAnnotations[Participant, _Counts]]":
    if matching is not None:
        return _found_of_page(reader, cursor, count, matching)
    if cursor is None:
        return _LISTED.page(count, reader=reader)
    moment, last = _place_of(cursor)
    return _LISTED_AFTER.page(count, reader=reader, moment=moment, last=last)


def _found_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str
) -> "Sequence[WithAnnotations[Participant, _Counts]]":
    parts = Participant.objects.filter(_named(matching, reader), user=reader)
    if cursor is not None:
        parts = parts.filter(_less_recent_than(*_place_of(cursor)))
    return list(_with_counts(parts).order_by(*_MOST_RECENT_FIRST)[:count])


def _named(matching: str, reader: UserId) -> Q:
    if not is_storable(matching):
        return Q(pk__in=())
    named = Q(conversation__title__icontains=matching)
    for side in ("low_user", "high_user"):
        other = ~Q(**{f"conversation__{side}": reader})
        for name in ("username", "display_name"):
            named |= other & Q(**{f"conversation__{side}__{name}__icontains": matching})
    return named


def _less_recent_than(moment: datetime | Parameter, last: int | Parameter) -> Q:
    return Q(conversation__last_activity_at__lt=moment) | Q(
        conversation__last_activity_at=moment, conversation__lt=last
    )


def _place_of(cursor: str) -> tuple[datetime, int]:
    match decode_numbers("conversations", cursor):
        case [moment_of, conversation_id]:
            return numbered_moment(moment_of), conversation_id
        case _:
            raise InvalidCursorError("This is no cursor of this list.", field="cursor")


def _listed() -> "QuerySet[WithAnnotations[Participant, _Counts]]":
    parts = Participant.objects.filter(user=Parameter("reader")).listed()
    return _with_counts(parts).order_by(*_MOST_RECENT_FIRST)


_LISTED: Final = Statement(_listed)
_LISTED_AFTER: Final = Statement(
    lambda: _listed().filter(_less_recent_than(Parameter("moment"), Parameter("last")))
)
_LISTED_ONE: Final = Statement(
    lambda: _with_counts(Participant.objects.filter(pk=Parameter("part")))
)


def _with_counts(
    parts: QuerySet[Participant],
) -> "QuerySet[WithAnnotations[Participant, _Counts]]":
    unread = Notification.objects.unread_in(OuterRef("conversation")).filter(
        user=OuterRef("user")
    )
    everyone = Participant.objects.filter(conversation=OuterRef("conversation"))
    newest = Message.objects.filter(conversation=OuterRef("conversation"))
    return (
        parts.select_related(
            "conversation", "conversation__low_user", "conversation__high_user"
        )
        .only(
            "user",
            "role",
            "muted",
            "hidden_through",
            *(
                f"conversation__{column}"
                for column in (
                    "kind",
                    "title",
                    "last_sequence",
                    "last_activity_at",
                    "created_at",
                )
            ),
            *(
                f"conversation__{side}__{column}"
                for side in ("low_user", "high_user")
                for column in ("username", "display_name")
            ),
        )
        .annotate(
            unread_count=number_of(unread),
            participant_count=number_of(everyone),
            last_message_id=Subquery(newest.order_by("-sequence").values("pk")[:1]),
        )
    )


def _summaries(
    parts: "Iterable[WithAnnotations[Participant, _Counts]]",
) -> Sequence[ConversationSummary]:
    rows = list(parts)
    ids = [row.last_message_id for row in rows if row.last_message_id is not None]
    last_messages: dict[int, ShownMessage] = {
        message.pk: message for message in messages_by_id(ids=ids)
    }
    return [
        ConversationSummary(
            conversation=row.conversation,
            role=row.role,
            muted=row.muted,
            hidden=row.hidden_through == row.conversation.last_sequence,
            other=_other(row.conversation, reader=UserId(row.user_id)),
            participant_count=row.participant_count,
            unread_count=row.unread_count,
            last_message=last_messages.get(row.last_message_id or 0),
        )
        for row in rows
    ]


def _other(conversation: Conversation, *, reader: UserId) -> User | None:
    if conversation.low_user_id == reader:
        return conversation.high_user
    return conversation.low_user
