"""Conversation summaries: the rows of the conversation list, as one participant sees them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, NamedTuple

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, Value, When

from messaging.access import Membership, conversation_not_found
from messaging.conversation_memory import ConversationMemory, may_keep
from messaging.cursors import (
    decode_numbers,
    encode_cursor,
    moment_number,
    numbered_moment,
)
from messaging.database import CompiledQuery, OnTimeline, number_of
from messaging.errors import InvalidCursorError
from messaging.folding import fold
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import (
    Conversation,
    Installation,
    Message,
    Notification,
    Participant,
)
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


class _State(NamedTuple):
    """A version of a conversation; after a restore or a failover, of another epoch."""

    epoch: str
    conversation_id: ConversationId
    version: int


@dataclass(slots=True)
class ConversationSummary:
    """A conversation as one participant sees it in a list."""

    id: ConversationId
    kind: str
    title: str
    # The other participant of a direct conversation.
    participant: UserProjection | None
    participant_count: int
    role: str
    muted: bool
    hidden: bool
    created_at: datetime
    last_activity_at: datetime
    last_sequence: int
    last_message: MessageProjection | None
    unread_count: int
    # Without what is unread of a muted one, but for mentions.
    badge_count: int
    # Of no use to clients: the API writes no field whose name begins so.
    _state: _State

    @property
    def is_direct(self) -> bool:
        return self.kind == ConversationKind.DIRECT

    @property
    def state(self) -> _State:
        """Another one for whatever changes that all participants see alike."""
        return self._state


@dataclass(slots=True)
class SharedSummary(Projection):
    """What all participants see alike, but for which of two is the other one."""

    id: Annotated[ConversationId, From("pk")]
    version: int
    kind: str
    title: str
    created_at: datetime
    participant_count: int
    last_message_id: MessageId | None
    low_user: UserProjection | None
    high_user: UserProjection | None
    last_message: MessageProjection | None = field(init=False, default=None)


_known: Final = ConversationMemory[_State, SharedSummary](most=2000)


@dataclass(slots=True)
class _Listed(Projection):
    """What is read of a conversation for one participant alone, and its version."""

    conversation_id: ConversationId
    version: Annotated[int, From("conversation__version")]
    epoch: str
    user_id: UserId
    role: str
    muted: bool
    hidden_through: int | None
    last_activity_at: Annotated[datetime, From("conversation__last_activity_at")]
    last_sequence: Annotated[int, From("conversation__last_sequence")]
    unread_count: int
    # 0 unless it is muted.
    muted_mention_count: int

    @property
    def state(self) -> _State:
        return _State(self.epoch, self.conversation_id, self.version)

    def completed(self, shared: SharedSummary) -> ConversationSummary:
        low = shared.low_user
        is_low = low is not None and low.id == self.user_id
        return ConversationSummary(
            id=self.conversation_id,
            kind=shared.kind,
            title=shared.title,
            participant=shared.high_user if is_low else low,
            participant_count=shared.participant_count,
            role=self.role,
            muted=self.muted,
            hidden=self.hidden_through == self.last_sequence,
            created_at=shared.created_at,
            last_activity_at=self.last_activity_at,
            last_sequence=self.last_sequence,
            last_message=shared.last_message,
            unread_count=self.unread_count,
            badge_count=self.muted_mention_count if self.muted else self.unread_count,
            _state=self.state,
        )


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
            moment_number(row.last_activity_at),
            row.conversation_id,
        ),
    )
    return Page(_completed(page.items), page.next_cursor)


def conversation_summary(
    *, membership: Membership, last_message: bool = True
) -> ConversationSummary:
    """One conversation, as in the list; a query less without its last message, if it is
    not known.

    Raises:
        ConversationNotFoundError: the user is no participant any more, or the
            conversation was deleted.
    """
    listed = _Listed.from_rows(_listed_one.all(participant=membership.pk))
    summaries = _completed(listed, last_message=last_message)
    if not summaries:
        raise conversation_not_found()
    return summaries[0]


def summaries_for(
    *, users: Collection[UserId], conversations: Collection[int]
) -> Iterable[tuple[UserId, ConversationSummary]]:
    """Summaries of these conversations, for those of these users who are participants."""
    participants = Participant.objects.filter(
        user__in=users, conversation__in=conversations
    )
    rows = _Listed.from_rows(_read(participants))
    return [(row.user_id, row.completed(shared)) for row, shared in _with_shared(rows)]


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
    installation = Installation.objects.filter(pk=Installation.ONLY_ID)
    return participants.annotate(
        epoch=Subquery(installation.values_list(OnTimeline("epoch"))),
        unread_count=number_of(unread),
        muted_mention_count=Case(
            When(muted=True, then=number_of(mentions)), default=Value(0)
        ),
    ).values_list(*_Listed.columns())


def _completed(
    rows: Sequence[_Listed], *, last_message: bool = True
) -> list[ConversationSummary]:
    shared = _with_shared(rows, last_message=last_message)
    return [row.completed(each) for row, each in shared]


def _with_shared(
    rows: Sequence[_Listed], *, last_message: bool = True
) -> list[tuple[_Listed, SharedSummary]]:
    """Each row with what all see alike of it, which is known by its version, or is read.

    In the order of the rows; without those whose conversation was deleted meanwhile.
    """
    keeps = may_keep()
    found: dict[ConversationId, SharedSummary] = {}
    epochs: dict[ConversationId, str] = {}
    for row in rows:
        known = _known.get(row.state) if keeps else None
        if known is None:
            epochs[row.conversation_id] = row.epoch
        else:
            found[row.conversation_id] = known
    if epochs:
        for each in SharedSummary.from_rows(_shared.all(conversations=[*epochs])):
            found[each.id] = each
            if keeps:
                _known.keep(
                    _State(epochs[each.id], each.id, each.version), each, each.id
                )
    if last_message:
        _add_last_messages(found.values())
    return [
        (row, found[row.conversation_id])
        for row in rows
        if row.conversation_id in found
    ]


def _add_last_messages(found: Iterable[SharedSummary]) -> None:
    wanted = {
        each.last_message_id: each
        for each in found
        if each.last_message is None and each.last_message_id is not None
    }
    if wanted:
        for message in messages_by_id(ids=wanted):
            wanted[message.id].last_message = message


@CompiledQuery
def _shared(*, conversations: Collection[int]) -> QuerySet[Conversation, Row]:
    everyone = Participant.objects.filter(conversation=OuterRef("pk"))
    newest = Message.objects.filter(conversation=OuterRef("pk"))
    return (
        Conversation.objects.filter(pk__in=conversations)
        .annotate(
            participant_count=number_of(everyone),
            last_message_id=Subquery(newest.order_by("-sequence").values("pk")[:1]),
        )
        .values_list(*SharedSummary.columns())
    )
