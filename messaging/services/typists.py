"""Who is writing just now. Never logged: it is gone soon."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from messaging.access import Membership, locked_for_participant
from messaging.ids import ConversationId, UserId
from messaging.models import Participant, Typing
from messaging.services.blocks import is_deliverable
from messaging.wakeups import announce

# Said again before it is over, for as long as somebody writes.
TYPING_LASTS: Final = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class Typist:
    user_id: UserId
    conversation_id: ConversationId


def note_typing(*, membership: Membership) -> None:
    """Show the others that somebody is writing, for a few seconds.

    Nobody sees it in a direct conversation that a block stands in.

    Raises:
        ConversationNotFoundError: they take no part any more.
    """
    with transaction.atomic():
        conversation = locked_for_participant(membership)
        user_id = UserId(membership.user_id)
        if conversation.is_direct and _blocked(membership):
            return
        Typing.objects.bulk_create(
            [
                Typing(
                    conversation=conversation,
                    user_id=user_id,
                    until=timezone.now() + TYPING_LASTS,
                )
            ],
            update_conflicts=True,
            unique_fields=["conversation", "user"],
            update_fields=["until"],
        )
        announce()


def typing_now() -> dict[Typist, datetime]:
    """Whoever is writing anywhere, and until when they said so."""
    rows = Typing.objects.filter(until__gt=timezone.now())
    return {
        Typist(UserId(user), ConversationId(conversation)): until
        for user, conversation, until in rows.values_list(
            "user", "conversation", "until"
        )
    }


def onlookers(
    typists: Collection[Typist], *, audience: frozenset[UserId]
) -> Mapping[Typist, frozenset[UserId]]:
    """Who of an audience takes part where somebody writes, apart from them."""
    members: dict[int, set[UserId]] = {}
    conversations = {typist.conversation_id for typist in typists}
    for conversation, user in Participant.objects.filter(
        conversation__in=conversations
    ).values_list("conversation", "user"):
        members.setdefault(conversation, set()).add(UserId(user))
    return {
        typist: frozenset(others & audience) - {typist.user_id}
        for typist in typists
        if typist.user_id in (others := members.get(typist.conversation_id, set()))
    }


def clear_expired_typing() -> int:
    """Forget who was writing; says how many."""
    expired = Typing.objects.filter(until__lt=timezone.now())
    return expired._raw_delete(expired.db)


def _blocked(membership: Membership) -> bool:
    others = Participant.objects.filter(conversation=membership.conversation_id)
    pair = frozenset(others.values_list("user", flat=True))
    user_id = UserId(membership.user_id)
    return not is_deliverable(sender=user_id, receivers=pair - {user_id})
