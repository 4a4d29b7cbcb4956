"""Looks of staff at what others wrote: recorded before it is shown, and told to those looked at.

Told are the participants of the conversation at that time, and whoever wrote what was
shown, should they have left. See decision 0038.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from messaging.changes import Change, open_change
from messaging.cursors import decode_number, encode_cursor
from messaging.database import execute
from messaging.errors import UserNotFoundError
from messaging.ids import ConversationId, LookId, MessageId, UserId
from messaging.models import Conversation, Look, LookNotice, Message, Participant, User
from messaging.models.looks import LookNoticeQuerySet, LookSource
from messaging.pagination import Page, cut_page
from messaging.projections import From, Projection, UserProjection

# Repeated looks of this long are one record.
ONE_RECORD_FOR: Final = timedelta(minutes=10)
# Between two servers, at most.
_CLOCKS_DIFFER: Final = timedelta(minutes=1)
# What `clear_expired` leaves.
KEPT_FOR: Final = timedelta(days=365)
# Of looks that one transaction clears: each has a notice for each participant.
_CLEAR_BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a conversation: a message, or several if `message_id` is None.

    `people` wrote it or are named by it.
    """

    conversation_id: ConversationId
    message_id: MessageId | None
    people: frozenset[int]


@dataclass(slots=True)
class LookProjection(Projection):
    """A look, as those looked at are told of it; `by` is None if the account is gone."""

    id: Annotated[LookId, From("look_id")]
    by: Annotated[UserProjection | None, From("look__by")]
    source: Annotated[LookSource, From("look__source")]
    conversation_id: Annotated[ConversationId | None, From("look__conversation_id")]
    message_id: Annotated[MessageId | None, From("look__message_id")]
    at: Annotated[datetime, From("look__at")]
    is_new: bool


@dataclass(slots=True)
class _Named(Projection):
    conversation_id: ConversationId
    title: Annotated[str, From("conversation__title")]
    low_user: Annotated[UserProjection | None, From("conversation__low_user")]
    high_user: Annotated[UserProjection | None, From("conversation__high_user")]

    def name(self, reader: UserId) -> str:
        pair = (self.low_user, self.high_user)
        others = [user for user in pair if user is not None and user.id != reader]
        return others[0].display_name if others else self.title


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The names of conversations by id, and the messages that are still there."""

    names: Mapping[ConversationId, str]
    messages: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Target:
    conversation_id: ConversationId
    message_id: MessageId | None


def record_looks(*, by: UserId, source: LookSource, shown: Iterable[Shown]) -> None:
    """Record that staff look at conversations; before their page is shown.

    Looks by the same page within `ONE_RECORD_FOR` of a recorded one are that one. The
    statements are as many for one conversation as for a page of them. Participants are
    told by a new record; a recent one writes only for who joined since.

    Raises:
        UserNotFoundError: the staff's account was deleted just now.
    """
    people = _people_by_target(shown)
    if not people:
        return
    conversations = {target.conversation_id for target in people}
    with open_change() as change:
        # Locked: nobody joins or leaves meanwhile, no participant's account is deleted,
        # and of two looks at once the second finds the first.
        change.lock_all(Conversation.objects.filter(pk__in=conversations))
        existing = _lock_people(by, people.values(), change)
        looks = _recent_looks(by, source, people.keys())
        newcomers = _newcomers(looks, by) if looks else {}
        fresh = change.insert(
            Look(
                by_id=by,
                source=source,
                conversation_id=target.conversation_id,
                message_id=target.message_id,
            )
            for target in people.keys() - looks.keys()
        )
        new = {_target(look): LookId(look.pk) for look in fresh}
        if new:
            _tell_participants(new.values())
        looks |= new
        _tell(
            {
                looks[target]: (ids & existing) | newcomers.get(target, frozenset())
                for target, ids in people.items()
            },
            change,
        )


def record_password(*, by: UserId, user_id: UserId) -> None:
    """Record that staff set a user's password; within the transaction that does it.

    Raises:
        UserNotFoundError: one of the accounts was deleted just now.
    """
    if by == user_id:
        return
    with open_change() as change:
        change.lock_users({by, user_id})
        (look,) = change.insert([Look(by_id=by, source=LookSource.PASSWORD)])
        change.insert([LookNotice(look=look, user_id=user_id)])


def look_page(
    *, reader: UserId, cursor: str | None, limit: int
) -> Page[LookProjection]:
    """The looks that a user is told of, newest first."""
    notices = LookNotice.objects.of(reader)
    if cursor is not None:
        notices = notices.filter(look__lt=decode_number("looks", cursor))
    rows = notices.order_by("-look").values_list(*LookProjection.columns())
    return cut_page(
        LookProjection.from_rows(rows[: limit + 1]),
        limit=limit,
        cursor_of=lambda look: encode_cursor("looks", look.id),
    )


def looked_at(*, reader: UserId, looks: Iterable[LookProjection]) -> LookedAt:
    """What looks were at, as far as the user may still see it."""
    looks = list(looks)
    participants = Participant.objects.filter(
        user=reader, conversation__in={look.conversation_id for look in looks}
    )
    named = {
        row.conversation_id: row.name(reader)
        for row in _Named.from_rows(participants.values_list(*_Named.columns()))
    }
    messages = Message.objects.filter(
        pk__in={look.message_id for look in looks}, conversation__in=named
    )
    return LookedAt(named, frozenset(messages.values_list("pk", flat=True)))


def mark_looks_seen(*, reader: UserId, up_to: LookId) -> None:
    """Mark looks as not new any more, up to one and with it; idempotent."""
    with open_change() as change:
        seen = LookNotice.objects.of(reader).new().filter(look__lte=up_to)
        change.update(seen, is_new=False)


def erase_looks_at(user_id: UserId, *, change: Change) -> None:
    """Erase what a deleted account was told of, and looks that nobody else is told of.

    Of looks *by* the account, only its name goes: who was looked at still is told.
    """
    notices = LookNotice.objects.filter(look=OuterRef("pk"))
    theirs = Look.objects.filter(Exists(notices.filter(user=user_id)))
    # Before the notices, by which they are found: foreign keys are checked at commit.
    change.erase(theirs.filter(~Exists(notices.exclude(user=user_id))))
    change.erase(LookNotice.objects.filter(user=user_id))
    change.update(Look.objects.filter(by=user_id), by=None)


def clear_expired_looks() -> int:
    """Delete a batch of looks older than `KEPT_FOR`; return their number, 0 if none is left."""
    expired = Look.objects.filter(at__lt=timezone.now() - KEPT_FOR).order_by("at")
    batch = list(expired.values_list("pk", flat=True)[:_CLEAR_BATCH])
    if not batch:
        return 0
    with open_change() as change:
        change.erase(LookNotice.objects.filter(look__in=batch))
        return change.erase(Look.objects.filter(pk__in=batch))


def told_of_own_looks() -> LookNoticeQuerySet:
    return LookNotice.objects.filter(user=F("look__by"))


def _people_by_target(shown: Iterable[Shown]) -> dict[_Target, frozenset[int]]:
    people: dict[_Target, frozenset[int]] = {}
    for each in shown:
        target = _Target(each.conversation_id, each.message_id)
        people[target] = people.get(target, frozenset()) | each.people
    return people


def _lock_people(
    by: UserId, people: Iterable[frozenset[int]], change: Change
) -> frozenset[int]:
    """Lock these accounts, so that nobody deletes them; return those that exist.

    Raises:
        UserNotFoundError: the staff's account is none of them.
    """
    ids = frozenset({by}).union(*people)
    locked = change.locked(User.objects.filter(pk__in=ids))
    existing = frozenset(locked.values_list("pk", flat=True))
    if by not in existing:
        raise UserNotFoundError("There is no such person.")
    return existing - {by}


def _recent_looks(
    by: UserId, source: LookSource, targets: Collection[_Target]
) -> dict[_Target, LookId]:
    recent = Look.objects.filter(
        by=by,
        at__gt=timezone.now() - ONE_RECORD_FOR,
        source=source,
        conversation_id__in={target.conversation_id for target in targets},
    )
    found = {_target(look): LookId(look.pk) for look in recent.order_by("pk")}
    return {target: found[target] for target in targets if target in found}


def _newcomers(
    recent: Collection[_Target], by: UserId
) -> dict[_Target, frozenset[int]]:
    """By target, the participants who may have joined since the recent look at it.

    Only they are written to: without them, each load of a list would write a page of 50
    groups' participants again. Their rows are read through, `PARLEY_MAX_PARTICIPANTS`
    for each group. An import may add people as of an earlier time: the next record
    tells them.
    """
    since = timezone.now() - ONE_RECORD_FOR - _CLOCKS_DIFFER
    rows = Participant.objects.filter(
        conversation__in={target.conversation_id for target in recent},
        joined_at__gt=since,
    ).exclude(user=by)
    joined: dict[int, set[int]] = {}
    for conversation_id, user_id in rows.values_list("conversation_id", "user_id"):
        joined.setdefault(conversation_id, set()).add(user_id)
    return {
        target: frozenset(joined.get(target.conversation_id, ())) for target in recent
    }


def _target(look: Look) -> _Target:
    conversation_id, message_id = look.conversation_id, look.message_id
    if conversation_id is None:
        raise ValueError("A password is of no conversation.")
    return _Target(
        ConversationId(conversation_id),
        None if message_id is None else MessageId(message_id),
    )


def _tell_participants(looks: Collection[LookId]) -> None:
    """Tell all participants of the conversations, by one statement for any number."""
    places = ", ".join(["%s"] * len(looks))
    # SQL by hand: the ORM inserts no rows of a query.
    execute(
        "INSERT INTO messaging_looknotice (look_id, user_id, is_new)"  # noqa: S608  # only placeholders are put in
        " SELECT look.id, participant.user_id, %s FROM messaging_look look"
        " JOIN messaging_participant participant"
        " ON participant.conversation_id = look.conversation_id"
        " AND participant.user_id <> look.by_id"
        f" WHERE look.id IN ({places}) ON CONFLICT (look_id, user_id) DO NOTHING",
        [True, *looks],
    )


def _tell(people: Mapping[LookId, frozenset[int]], change: Change) -> None:
    """Tell people who take part no more but wrote what was shown."""
    told = LookNotice.objects.filter(
        look__in=people, user__in=frozenset().union(*people.values())
    )
    known = set(told.values_list("look_id", "user_id"))
    change.insert(
        LookNotice(look_id=look, user_id=user)
        for look, users in people.items()
        for user in users
        if (look, user) not in known
    )
