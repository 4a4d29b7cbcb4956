"""Presence: the users with an open event stream, at any process.

Presence is not in the event log. Each process writes rows for its own users and renews
them (a heartbeat); the rows of a killed process expire.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.db import IntegrityError
from django.db.models import Max
from django.utils import timezone

from messaging.changes import open_change
from messaging.database import erase_in_batches
from messaging.ids import UserId
from messaging.models import Block, Conversation, Participant, Presence, User

# Three renewal intervals, so that one missed heartbeat does not take a user offline.
PRESENCE_LASTS: Final = timedelta(seconds=60)

# A larger audience is not passed to the query: see `deliveries`.
_MAX_NAMED_USERS: Final = 200

# A new stream gets only the contacts of the most recent conversations.
_RECENT_CONVERSATIONS: Final = 50
_RECENT_CONTACTS: Final = 200


def declare_present(*, process: str, users: Collection[UserId]) -> None:
    """Write or renew the presence of users at a process."""
    until = timezone.now() + PRESENCE_LASTS
    try:
        with open_change() as change:
            # Users whose accounts were deleted have no row any more.
            known = User.objects.filter(pk__in=users).order_by("pk")
            Presence.objects.bulk_create(
                (
                    Presence(user_id=user, process=process, until=until)
                    for user in known.values_list("pk", flat=True)
                ),
                update_conflicts=True,
                unique_fields=["user", "process"],
                update_fields=["until"],
            )
            change.wake()
    except IntegrityError:
        # An account was deleted meanwhile. The next renewal writes the other rows.
        return


def withdraw_presence(*, process: str, users: Collection[UserId] | None = None) -> None:
    """Delete the presence of these users, or of all users, at a process."""
    theirs = Presence.objects.filter(process=process)
    with open_change() as change:
        change.erase(theirs if users is None else theirs.filter(user__in=users))
        change.wake()


def present_users() -> frozenset[UserId]:
    """The users who have a stream open at any process."""
    rows = Presence.objects.filter(until__gt=timezone.now())
    return frozenset(UserId(user) for user in rows.values_list("user", flat=True))


def contacts_among(
    users: Collection[UserId], *, audience: frozenset[UserId]
) -> Mapping[UserId, frozenset[UserId]]:
    """By user: those of an audience who share a conversation with this user.

    A direct conversation with a block does not count.
    """
    theirs = Participant.objects.filter(user__in=users).values("conversation")
    members: dict[int, set[UserId]] = {}
    direct: set[int] = set()
    rows = Participant.objects.filter(conversation__in=theirs)
    if len(audience) <= _MAX_NAMED_USERS:
        rows = rows.filter(user__in=audience.union(users))
    for conversation, kind, user in rows.values_list(
        "conversation", "conversation__kind", "user"
    ):
        members.setdefault(conversation, set()).add(UserId(user))
        if kind == Conversation.Kind.DIRECT:
            direct.add(conversation)
    blocked = _blocked_pairs(users) if direct else frozenset()
    found: dict[UserId, set[UserId]] = {user: set() for user in users}
    for conversation, pair in members.items():
        # Blocks do not apply in groups.
        if conversation in direct and frozenset(pair) in blocked:
            continue
        for user in pair & found.keys():
            # Includes the user, who is removed below.
            found[user] |= pair & audience
    return {user: frozenset(met - {user}) for user, met in found.items()}


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
