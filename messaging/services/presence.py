"""Who has a stream open, at whatever process. Never logged, and forgotten soon.

Each process says so of its own people again and again; what it said expires when
it dies without taking it back.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from messaging.ids import UserId
from messaging.models import Block, Conversation, Participant, Presence, User
from messaging.services.conversations import erase_rows
from messaging.wakeups import announce

PRESENCE_LASTS: Final = timedelta(seconds=60)

# More people than that are not named to the database: see `deliveries`.
_FEW: Final = 200

# Whose coming and going somebody is shown at first: those they talked to last.
_RECENT_CONVERSATIONS: Final = 50
_RECENT_CONTACTS: Final = 200


def declare_present(*, process: str, users: Collection[UserId]) -> None:
    """Say, or say again, that these people have a stream at a process."""
    until = timezone.now() + PRESENCE_LASTS
    try:
        with transaction.atomic():
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
            announce()
    except IntegrityError:
        # An account was deleted meanwhile; the next time will do for the others.
        return


def withdraw_presence(*, process: str, users: Collection[UserId] | None = None) -> None:
    """Take it back, of these people or of all at a process."""
    theirs = Presence.objects.filter(process=process)
    with transaction.atomic():
        erase_rows(theirs if users is None else theirs.filter(user__in=users))
        announce()


def present_users() -> frozenset[UserId]:
    """Whoever has a stream open anywhere."""
    rows = Presence.objects.filter(until__gt=timezone.now())
    return frozenset(UserId(user) for user in rows.values_list("user", flat=True))


def contacts_among(
    users: Collection[UserId], *, audience: frozenset[UserId]
) -> Mapping[UserId, frozenset[UserId]]:
    """For each person, who of an audience shares a conversation with them.

    Not a direct one that a block stands in.
    """
    theirs = Participant.objects.filter(user__in=users).values("conversation")
    members: dict[int, set[UserId]] = {}
    direct: set[int] = set()
    rows = Participant.objects.filter(conversation__in=theirs)
    if len(audience) <= _FEW:
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
        if conversation in direct and frozenset(pair) in blocked:
            continue
        for user in pair & found.keys():
            found[user] |= pair & audience
    return {user: frozenset(met - {user}) for user, met in found.items()}


def present_contacts(*, user: UserId) -> list[User]:
    """Who is there just now of those that somebody talked to last."""
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
    there = [UserId(row["user"]) for row in others]
    shown = [
        met
        for met, by in contacts_among(there, audience=frozenset({user})).items()
        if by
    ]
    return list(User.objects.filter(pk__in=shown).order_by("pk")) if shown else []


def clear_expired_presence() -> int:
    """Forget what processes said that died; says how many rows."""
    expired = Presence.objects.filter(until__lt=timezone.now())
    return expired._raw_delete(expired.db)


def _blocked_pairs(users: Collection[UserId]) -> frozenset[frozenset[UserId]]:
    blocks = Block.objects.filter(blocker__in=users).union(
        Block.objects.filter(blocked__in=users)
    )
    return frozenset(
        frozenset({UserId(blocker), UserId(blocked)})
        for blocker, blocked in blocks.values_list("blocker", "blocked")
    )
