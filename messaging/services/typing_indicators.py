"""Typing indicators: who is typing now.

They are not in the event log, since they expire within seconds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from messaging.access import Membership
from messaging.changes import changing
from messaging.database import erase_in_batches
from messaging.ids import ConversationId, UserId
from messaging.models import Participant, Typing
from messaging.services.blocks import is_deliverable

# Clients renew an indicator every few seconds while the user types.
TYPING_LASTS: Final = timedelta(seconds=6)


@dataclass(frozen=True, slots=True)
class TypingUser:
    user_id: UserId
    conversation_id: ConversationId


def note_typing(*, membership: Membership) -> None:
    """Show the other participants, for `TYPING_LASTS`, that a user is typing.

    In a direct conversation with a block, nothing is shown.

    Raises:
        ConversationNotFoundError: the user is no participant any more.
    """
    conversation_id = ConversationId(membership.conversation_id)
    user_id = UserId(membership.user_id)
    with changing(conversation_id, by=user_id) as change:
        conversation = change.conversation(conversation_id)
        # No error: the user must not learn of the block in this way.
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
        change.wake()


def typing_now() -> dict[TypingUser, datetime]:
    """All users who are typing, and when each indicator expires."""
    rows = Typing.objects.filter(until__gt=timezone.now())
    return {
        TypingUser(UserId(user), ConversationId(conversation)): until
        for user, conversation, until in rows.values_list(
            "user", "conversation", "until"
        )
    }


def typing_audience(
    typing_users: Collection[TypingUser], *, audience: frozenset[UserId]
) -> Mapping[TypingUser, frozenset[UserId]]:
    """By typing user: the other participants of the conversation, among an audience."""
    members: dict[int, set[UserId]] = {}
    conversations = {typing_user.conversation_id for typing_user in typing_users}
    for conversation, user in Participant.objects.filter(
        conversation__in=conversations
    ).values_list("conversation", "user"):
        members.setdefault(conversation, set()).add(UserId(user))
    return {
        typing_user: frozenset(others & audience) - {typing_user.user_id}
        for typing_user in typing_users
        if typing_user.user_id
        in (others := members.get(typing_user.conversation_id, set()))
    }


def clear_expired_typing() -> int:
    """Delete expired rows; return how many."""
    expired = Typing.objects.filter(until__lt=timezone.now())
    return erase_in_batches(expired)


def _blocked(membership: Membership) -> bool:
    others = Participant.objects.filter(conversation=membership.conversation_id)
    pair = frozenset(others.values_list("user", flat=True))
    user_id = UserId(membership.user_id)
    return not is_deliverable(sender=user_id, receivers=pair - {user_id})
