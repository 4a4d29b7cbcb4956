"""Who can read what others wrote, counted in this very installation: for a page for everybody."""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """Who can sign in to the administration, and programs that act for accounts.

    A superuser is, even one who is no member of staff: they set passwords of staff, too.
    """

    staff: int
    superusers: int
    rights: Sequence[Right]
    service_tokens: int


def oversight() -> Oversight:
    """Count who may do what now; suspended accounts may nothing, superusers everything.

    It costs as much as there are of them, however many accounts there are.
    """
    # In the words of the index `user_staff`.
    has_rights = Q(is_staff=True) | Q(is_superuser=True)
    staff = User.objects.filter(has_rights, is_active=True)
    is_superuser = dict(staff.values_list("pk", "is_superuser"))
    superusers = frozenset(pk for pk in is_superuser if is_superuser[pk])
    permissions = Permission.objects.filter(
        content_type__app_label=User._meta.app_label,
        codename__in={
            codename for source in _LOOKED_AT for codename in permissions_for(source)
        },
    )
    names = dict(permissions.order_by("codename").values_list("codename", "name"))
    # Two queries: one for both would join each right of a user with each of their
    # groups'.
    given = frozenset(
        permissions.filter(user__in=staff).values_list("user", "codename")
    ).union(
        permissions.filter(group__user__in=staff).values_list("group__user", "codename")
    )
    return Oversight(
        staff=len(is_superuser),
        superusers=len(superusers),
        rights=[_right(source, names, superusers, given) for source in _LOOKED_AT],
        service_tokens=ServiceToken.objects.count(),
    )


def permissions_for(source: LookSource) -> Collection[str]:
    """The codenames of which one is enough: Django shows rows to who may change them."""
    model = _LOOKED_AT[source]._meta.model_name
    if source == LookSource.PASSWORD:
        return (f"change_{model}",)
    return (f"view_{model}", f"change_{model}")


def _right(
    source: LookSource,
    names: Mapping[str, str],
    superusers: frozenset[int],
    given: Iterable[tuple[int, str]],
) -> Right:
    enough = permissions_for(source)
    having = superusers.union(user for user, codename in given if codename in enough)
    return Right(
        source, [names.get(codename, codename) for codename in enough], len(having)
    )
