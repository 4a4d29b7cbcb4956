"""Conversation summaries: the rows of the conversation list, as one participant sees them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When

from messaging.access import Membership, conversation_not_found
from messaging.cursors import (
    decode_numbers,
    encode_cursor,
    moment_number,
    numbered_moment,
)
from messaging.database import CompiledQuery, number_of
from messaging.errors import InvalidCursorError
from messaging.folding import fold
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Message, Notification, Participant
from messaging.models.conversations import ConversationKind
from messaging.pagination import Page, cut_page
from messaging.projections import (
    From,
    MessageProjection,
    Projection,
    Row,
    UserProjection,
)
from messaging.services.message_lists import messages_by_id
from messaging.text import is_storable

# Longer search terms are cut: folding them takes time.
_LONGEST_TYPED: Final = 200
_MOST_RECENT_FIRST: Final = ("-conversation__last_activity_at", "-conversation_id")


@dataclass(slots=True)
class ConversationSummary(Projection):
    """A conversation as one participant sees it in a list."""

    id: Annotated[ConversationId, From("conversation_id")]
    kind: Annotated[str, From("conversation__kind")]
    title: Annotated[str, From("conversation__title")]
    # The other participant of a direct conversation.
    participant: UserProjection | None = field(init=False, default=None)
    participant_count: int
    role: str
    muted: bool
    hidden: bool = field(init=False, default=False)
    created_at: Annotated[datetime, From("conversation__created_at")]
    last_activity_at: Annotated[datetime, From("conversation__last_activity_at")]
    last_sequence: Annotated[int, From("conversation__last_sequence")]
    last_message: MessageProjection | None = field(init=False, default=None)
    unread_count: int
    # Without what is unread of a muted one, but for mentions.
    badge_count: int = field(init=False, default=0)

    @property
    def is_direct(self) -> bool:
        return self.kind == ConversationKind.DIRECT


@dataclass(slots=True)
class _Listed(Projection):
    """A summary as it is read, with the columns that its other fields are computed from."""

    summary: Annotated[ConversationSummary, From("")]
    user_id: UserId
    hidden_through: int | None
    last_message_id: MessageId | None
    # 0 unless it is muted.
    muted_mention_count: int
    low_user: Annotated[UserProjection | None, From("conversation__low_user")]
    high_user: Annotated[UserProjection | None, From("conversation__high_user")]

    def completed(
        self, last_messages: Mapping[MessageId | None, MessageProjection]
    ) -> ConversationSummary:
        summary, low = self.summary, self.low_user
        is_low = low is not None and low.id == self.user_id
        summary.participant = self.high_user if is_low else low
        summary.hidden = self.hidden_through == summary.last_sequence
        summary.last_message = last_messages.get(self.last_message_id)
        summary.badge_count = (
            self.muted_mention_count if summary.muted else summary.unread_count
        )
        return summary


def conversation_page(
    *, reader: UserId, cursor: str | None, limit: int, matching: str | None = None
) -> Page[ConversationSummary]:
    """A user's conversations, the most recently active first, without hidden ones.

    With `matching`, the conversations that have this text in the group's title or in
    the other user's names, hidden ones included. Both are folded as in
    messaging/folding.py.
    """
    page = cut_page(
        _Listed.from_rows(_rows_of_page(reader, cursor, limit + 1, matching)),
        limit=limit,
        cursor_of=lambda row: encode_cursor(
            "conversations",
            moment_number(row.summary.last_activity_at),
            row.summary.id,
        ),
    )
    return Page(_completed(page.items), page.next_cursor)


def conversation_summary(
    *, membership: Membership, last_message: bool = True
) -> ConversationSummary:
    """One conversation, as in the list; a query less without its last message.

    Raises:
        ConversationNotFoundError: the user is no participant any more, or the
            conversation was deleted.
    """
    rows = _listed_one.all(participant=membership.pk)
    if not rows:
        raise conversation_not_found()
    listed = _Listed.from_rows(rows)
    return _completed(listed)[0] if last_message else listed[0].completed({})


def summaries_for(
    *, users: Collection[UserId], conversations: Collection[int]
) -> Iterable[tuple[UserId, ConversationSummary]]:
    """Summaries of these conversations, for those of these users who are participants."""
    participants = Participant.objects.filter(
        user__in=users, conversation__in=conversations
    )
    rows = _Listed.from_rows(_read(participants))
    people = [row.user_id for row in rows]
    return zip(people, _completed(rows), strict=True)


def _rows_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str | None
) -> Sequence[Row]:
    if matching is not None:
        return _found_of_page(reader, cursor, count, matching)
    if cursor is None:
        return _listed.page(count, reader=reader)
    moment, last = _place_of(cursor)
    return _listed_after.page(count, reader=reader, moment=moment, last=last)


def _found_of_page(
    reader: UserId, cursor: str | None, count: int, matching: str
) -> Sequence[Row]:
    participants = Participant.objects.filter(_named(matching, reader), user=reader)
    if cursor is not None:
        participants = participants.filter(_less_recent_than(*_place_of(cursor)))
    return list(_read(participants).order_by(*_MOST_RECENT_FIRST)[:count])


def _named(matching: str, reader: UserId) -> Q:
    wanted = fold(matching[:_LONGEST_TYPED])
    if not wanted or not is_storable(wanted):
        return Q(pk__in=())
    named = Q(conversation__folded_title__contains=wanted)
    for side in ("low_user", "high_user"):
        other = ~Q(**{f"conversation__{side}": reader})
        named |= other & Q(**{f"conversation__{side}__folded_name__contains": wanted})
    return named


def _less_recent_than(moment: datetime, last: int) -> Q:
    return Q(conversation__last_activity_at__lt=moment) | Q(
        conversation__last_activity_at=moment, conversation__lt=last
    )


def _place_of(cursor: str) -> tuple[datetime, int]:
    match decode_numbers("conversations", cursor):
        case [moment, conversation_id]:
            return numbered_moment(moment), conversation_id
        case _:
            raise InvalidCursorError("This is no cursor of this list.", field="cursor")


@CompiledQuery
def _listed(*, reader: UserId) -> QuerySet[Participant, Row]:
    participants = Participant.objects.filter(user=reader).listed()
    return _read(participants).order_by(*_MOST_RECENT_FIRST)


@CompiledQuery
def _listed_after(
    *, reader: UserId, moment: datetime, last: int
) -> QuerySet[Participant, Row]:
    return _listed.build(reader=reader).filter(_less_recent_than(moment, last))


@CompiledQuery
def _listed_one(*, participant: int) -> QuerySet[Participant, Row]:
    return _read(Participant.objects.filter(pk=participant))


def _read(participants: QuerySet[Participant]) -> QuerySet[Participant, Row]:
    """A query for the rows of `_Listed`."""
    unread = Notification.objects.unread_in(OuterRef("conversation")).filter(
        user=OuterRef("user")
    )
    mentions = Notification.objects.unread_mentions().filter(
        conversation=OuterRef("conversation"), user=OuterRef("user")
    )
    everyone = Participant.objects.filter(conversation=OuterRef("conversation"))
    newest = Message.objects.filter(conversation=OuterRef("conversation"))
    return participants.annotate(
        unread_count=number_of(unread),
        muted_mention_count=Case(
            When(muted=True, then=number_of(mentions)), default=Value(0)
        ),
        participant_count=number_of(everyone),
        last_message_id=Subquery(newest.order_by("-sequence").values("pk")[:1]),
    ).values_list(*_Listed.columns())


def _completed(rows: Sequence[_Listed]) -> list[ConversationSummary]:
    ids = [row.last_message_id for row in rows if row.last_message_id is not None]
    last_messages: dict[MessageId | None, MessageProjection] = {
        message.id: message for message in messages_by_id(ids=ids)
    }
    return [row.completed(last_messages) for row in rows]
