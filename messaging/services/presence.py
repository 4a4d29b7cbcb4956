"""Presence: the users with an open event stream, at any process.

Presence is not in the event log. Each process writes rows for its own users and renews
them (a heartbeat); the rows of a killed process expire. The same heartbeat notes when a
user was last seen.

Nothing is written of users who hide their presence. They see that of nobody either, and
two users with a block between them do not see each other's: decision 0031.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from messaging.changes import open_change
from messaging.database import CompiledQuery, erase_in_batches
from messaging.ids import UserId
from messaging.models import Block, LastSeen, Participant, Presence, User
from messaging.services.blocks import blocked_either_way

# Three renewal intervals, so that one missed heartbeat does not take a user offline.
PRESENCE_LASTS: Final = timedelta(seconds=60)

# A user's row of `LastSeen` is written at most so often.
_SEEN_EVERY: Final = timedelta(minutes=2)

# A larger audience is not passed to the query: see `deliveries`.
_MAX_NAMED_USERS: Final = 200

# A new stream gets only the contacts of the most recent conversations.
_RECENT_CONVERSATIONS: Final = 50
_RECENT_CONTACTS: Final = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What one user may see of another one's presence."""

    online: bool
    # To the minute.
    at: datetime | None


UNSEEN: Final = Seen(online=False, at=None)


def declare_present(*, process: str, users: Collection[UserId]) -> None:
    """Write or renew the presence of users at a process, and when they were last seen."""
    until = timezone.now() + PRESENCE_LASTS
    try:
        with open_change() as change:
            # Users whose accounts were deleted have no row any more.
            known = User.objects.filter(pk__in=users, shows_presence=True)
            shown = list(known.order_by("pk").values_list("pk", flat=True))
            Presence.objects.bulk_create(
                (
                    Presence(user_id=user, process=process, until=until)
                    for user in shown
                ),
                update_conflicts=True,
                unique_fields=["user", "process"],
                update_fields=["until"],
            )
            _note_seen(shown)
            change.wake()
    except IntegrityError:
        # An account was deleted meanwhile. The next renewal writes the other rows.
        return


def _note_seen(users: Collection[int]) -> None:
    now = timezone.now()
    recent = LastSeen.objects.filter(user__in=users, at__gt=now - _SEEN_EVERY)
    noted = set(recent.values_list("user", flat=True))
    LastSeen.objects.bulk_create(
        (LastSeen(user_id=user, at=now) for user in users if user not in noted),
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["at"],
    )


def withdraw_presence(*, process: str, users: Collection[UserId] | None = None) -> None:
    """Delete the presence of these users, or of all users, at a process."""
    theirs = Presence.objects.filter(process=process)
    with open_change() as change:
        change.erase(theirs if users is None else theirs.filter(user__in=users))
        change.wake()


def set_shows_presence(*, user: User, shows_presence: bool) -> User:
    """Show others when a user is online and was last seen, or hide it and forget it.

    Raises:
        UserNotFoundError: the account was deleted just now.
    """
    with open_change() as change:
        change.lock_users({user.pk})
        user.shows_presence = shows_presence
        user.save(update_fields=["shows_presence"])
        if not shows_presence:
            change.erase(Presence.objects.filter(user=user))
            change.erase(LastSeen.objects.filter(user=user))
            change.wake()
    return user


def presence_of(people: Collection[int], *, reader: UserId) -> Mapping[int, Seen]:
    """What a reader may see of the presence of people they share a conversation with.

    Those who hide it, who block the reader or whom the reader blocks are left out.
    """
    seen = set(people) - blocked_either_way(one=reader, others=people)
    rows = _shown.all(people=seen, reader=reader, now=timezone.now()) if seen else []
    return {pk: Seen(online, at and _to_the_minute(at)) for pk, online, at in rows}


@CompiledQuery
def _shown(
    *, people: Collection[int], reader: UserId, now: datetime
) -> QuerySet[User, tuple[int, bool, datetime | None]]:
    """Of these people, those who show it; nobody to a reader who hides their own."""
    hiding = User.objects.filter(pk=reader, shows_presence=False)
    here = Presence.objects.filter(user=OuterRef("pk"), until__gt=now)
    shown = User.objects.filter(~Exists(hiding), pk__in=people, shows_presence=True)
    return shown.values_list("pk", Exists(here), "last_seen__at")


def _to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def present_users() -> frozenset[UserId]:
    """The users who have a stream open at any process, and show it."""
    rows = Presence.objects.filter(until__gt=timezone.now(), user__shows_presence=True)
    return frozenset(UserId(user) for user in rows.values_list("user", flat=True))


def contacts_among(
    users: Collection[UserId], *, audience: frozenset[UserId]
) -> Mapping[UserId, frozenset[UserId]]:
    """By user: those of an audience who share a conversation, and may see their presence.

    Those are not who hide their own presence, nor who have a block with the user.
    """
    theirs = Participant.objects.filter(user__in=users).values("conversation")
    rows = Participant.objects.filter(conversation__in=theirs)
    if len(audience) <= _MAX_NAMED_USERS:
        rows = rows.filter(user__in=audience.union(users))
    members: dict[int, set[UserId]] = {}
    viewers: set[UserId] = set()
    for conversation, user, shows_presence in rows.values_list(
        "conversation", "user", "user__shows_presence"
    ):
        members.setdefault(conversation, set()).add(UserId(user))
        if shows_presence and user in audience:
            viewers.add(UserId(user))
    blocked = _blocked_pairs(users) if viewers else frozenset()
    found: dict[UserId, set[UserId]] = {user: set() for user in users}
    for together in members.values():
        for user in together & found.keys():
            found[user] |= together & viewers
    return {
        user: frozenset(
            viewer
            for viewer in met
            if viewer != user and frozenset({user, viewer}) not in blocked
        )
        for user, met in found.items()
    }


def present_contacts(*, user: UserId) -> list[User]:
    """The recent contacts of a user who are online."""
    recent = (
        Participant.objects.filter(user=user)
        .order_by("-conversation__last_activity_at", "-conversation")
        .values("conversation")[:_RECENT_CONVERSATIONS]
    )
    others = (
        Participant.objects.filter(
            conversation__in=list(recent.values_list("conversation", flat=True)),
            user__in=Presence.objects.filter(until__gt=timezone.now()).values("user"),
        )
        .exclude(user=user)
        .values("user")
        .annotate(last=Max("conversation__last_activity_at"))
        .order_by("-last")[:_RECENT_CONTACTS]
    )
    online = [UserId(row["user"]) for row in others]
    # Leave out contacts with a block between them and the user.
    audience_of = contacts_among(online, audience=frozenset({user}))
    contacts = [contact for contact, audience in audience_of.items() if audience]
    return list(User.objects.filter(pk__in=contacts).order_by("pk")) if contacts else []


def clear_expired_presence() -> int:
    """Delete the rows of killed processes; return how many."""
    expired = Presence.objects.filter(until__lt=timezone.now())
    return erase_in_batches(expired)


def _blocked_pairs(users: Collection[UserId]) -> frozenset[frozenset[UserId]]:
    blocks = Block.objects.filter(blocker__in=users).union(
        Block.objects.filter(blocked__in=users)
    )
    return frozenset(
        frozenset({UserId(blocker), UserId(blocked)})
        for blocker, blocked in blocks.values_list("blocker", "blocked")
    )
