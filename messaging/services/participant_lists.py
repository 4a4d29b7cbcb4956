"""The participants of a conversation, as its participants see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from messaging.access import Membership
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import ParticipantNotFoundError
from messaging.ids import UserId
from messaging.models import Participant, User
from messaging.models.conversations import ParticipantRole
from messaging.pagination import Page, cut_page
from messaging.projections import UserProjection
from messaging.services.people_search import named
from messaging.services.presence import UNSEEN, presence_of


@dataclass(frozen=True, slots=True)
class ListedParticipant:
    """A participant, with what the reader may see of their presence."""

    user: User
    role: ParticipantRole
    joined_at: datetime
    online: bool
    last_seen_at: datetime | None


def participant_page(
    *,
    membership: Membership,
    cursor: str | None,
    limit: int,
    matching: str | None = None,
) -> Page[ListedParticipant]:
    """The participants of a conversation, in the order in which they joined.

    With `matching`, those whom a search for this text finds: see people_search.
    """
    everyone = Participant.objects.filter(conversation=membership.conversation_id)
    if matching is not None:
        everyone = everyone.filter(named(matching, relation="user"))
    if cursor is not None:
        everyone = everyone.filter(pk__gt=decode_number("participants", cursor))
    rows = (
        everyone.select_related("user")
        .only("conversation", "role", "joined_at", *UserProjection.columns("user"))
        .order_by("pk")
    )
    page = cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda participant: encode_cursor("participants", participant.pk),
    )
    return Page(_listed(page.items, UserId(membership.user_id)), page.next_cursor)


def _listed(
    participants: Sequence[Participant], reader: UserId
) -> list[ListedParticipant]:
    seen = presence_of([each.user_id for each in participants], reader=reader)
    return [
        ListedParticipant(
            user=each.user,
            role=ParticipantRole(each.role),
            joined_at=each.joined_at,
            online=seen.get(each.user_id, UNSEEN).online,
            last_seen_at=seen.get(each.user_id, UNSEEN).at,
        )
        for each in participants
    ]


def participant_named(group: Membership, username: str) -> Participant:
    """The participant of this name, in any case.

    Raises:
        ParticipantNotFoundError
    """
    participant = Participant.objects.filter(
        conversation=group.conversation_id, user__username_key=username.lower()
    ).first()
    if participant is None:
        raise ParticipantNotFoundError("Nobody of this name takes part.")
    return participant
