"""Mentions: who can be mentioned in a conversation, and whom its messages mention."""

from collections.abc import Iterable, Mapping
from typing import Final

from django.db.models import Case, Value, When

from messaging.access import Membership
from messaging.folding import fold
from messaging.ids import UserId
from messaging.models import Participant, User
from messaging.projections import UserProjection
from messaging.text import is_storable, mentioned_usernames

# Longer search texts are cut: folding them takes time.
_LONGEST_TYPED: Final = 64
# Of more names, all participants are read: they may be more than a statement takes.
_MOST_NAMES: Final = 500


def mention_candidates(
    *, membership: Membership, typed: str, limit: int
) -> list[UserProjection]:
    """The other participants who have `typed` in one of their names, the best first.

    Names that begin with it come first, then those in which a word does, then the
    others; those alike in the order of their usernames. Case, accents and composition
    make no difference. An empty text is in every name.
    """
    wanted = fold(typed.strip()[:_LONGEST_TYPED])
    if not is_storable(wanted):
        return []
    others = User.objects.filter(
        participations__conversation=membership.conversation_id, is_active=True
    ).exclude(pk=membership.user_id)
    begins = Case(
        When(folded_name__startswith=wanted, then=Value(0)),
        When(folded_name__contains=f" {wanted}", then=Value(1)),
        default=Value(2),
    )
    found = others.filter(folded_name__contains=wanted).order_by(begins, "username_key")
    return UserProjection.from_rows(
        found.values_list(*UserProjection.columns())[:limit]
    )


def mentioned_participants(
    *, conversation_id: int, contents: Iterable[str]
) -> Mapping[str, UserId]:
    """The participants whom these texts mention, by username in lower case.

    It takes no query if they mention nobody.
    """
    names = frozenset[str]().union(*map(mentioned_usernames, contents))
    if not names:
        return {}
    participants = Participant.objects.filter(conversation=conversation_id)
    if len(names) <= _MOST_NAMES:
        participants = participants.filter(user__username_key__in=names)
    found = participants.values_list("user__username_key", "user_id")
    return {name: UserId(user_id) for name, user_id in found if name in names}
