"""Who can read what others wrote, counted in this very installation: for a page for everybody."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Permission
from django.db.models import Model, Q

from messaging.models import (
    Conversation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    ServiceToken,
    User,
)
from messaging.models.looks import LookSource

# The models whose pages in the admin record looks.
_LOOKED_AT: Final[Mapping[LookSource, type[Model]]] = {
    LookSource.MESSAGES: Message,
    LookSource.HISTORIES: MessageHistory,
    LookSource.NOTIFICATIONS: Notification,
    LookSource.CONVERSATIONS: Conversation,
    LookSource.PARTICIPANTS: Participant,
    LookSource.PASSWORD: User,
}


@dataclass(frozen=True, slots=True)
class Right:
    """What staff may do by any of these permissions, and how many of them may.

    `names` are those by which the admin shows the permissions.
    """

    source: LookSource
    names: Sequence[str]
    people: int


@dataclass(frozen=True, slots=True)
class Oversight:
    """Staff who can sign in to the admin, and programs that act for accounts."""

    staff: int
    superusers: int
    rights: Sequence[Right]
    service_tokens: int


def oversight() -> Oversight:
    """Count who may do what now; suspended accounts may nothing, superusers everything.

    It costs as much as there are staff, however many accounts there are.
    """
    staff = User.objects.filter(is_staff=True, is_active=True)
    by_id = dict(staff.values_list("pk", "is_superuser"))
    superusers = frozenset(pk for pk, is_superuser in by_id.items() if is_superuser)
    permissions = list(
        Permission.objects.filter(
            content_type__app_label=User._meta.app_label,
            codename__in={
                codename
                for source in _LOOKED_AT
                for codename in permissions_for(source)
            },
        ).order_by("codename")
    )
    return Oversight(
        staff=len(by_id),
        superusers=len(superusers),
        rights=[_right(source, permissions, superusers) for source in _LOOKED_AT],
        service_tokens=ServiceToken.objects.count(),
    )


def permissions_for(source: LookSource) -> Collection[str]:
    """The codenames of which one is enough: Django shows to who may change."""
    model = _LOOKED_AT[source]._meta.model_name
    if source == LookSource.PASSWORD:
        return (f"change_{model}",)
    return (f"change_{model}", f"view_{model}")


def _right(
    source: LookSource, permissions: Sequence[Permission], superusers: frozenset[int]
) -> Right:
    enough = [
        permission
        for permission in permissions
        if permission.codename in permissions_for(source)
    ]
    given = User.objects.filter(
        Q(user_permissions__in=enough) | Q(groups__permissions__in=enough),
        is_staff=True,
        is_active=True,
    )
    having = superusers.union(given.values_list("pk", flat=True))
    return Right(source, [permission.name for permission in enough], len(having))
