"""Who takes part in an imported conversation: those who wrote its messages."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils import timezone

from messaging.changes import Change, next_event_id
from messaging.ids import UserId
from messaging.import_export.staging import StagedMessage
from messaging.models import Conversation, Message, Participant, Removal


def add_participants(
    conversation: Conversation,
    messages: Sequence[StagedMessage],
    *,
    begun: bool,
    change: Change,
) -> None:
    """Make all senders participants; the first one becomes the owner if there is none.

    A sender who wrote in the conversation before and is no participant has left it, and
    is not added again.
    """
    first: dict[UserId, datetime] = {}
    for message in messages:
        if message.sender_id is not None:
            first.setdefault(message.sender_id, message.timestamp)
    known = _known_participants(conversation, first.keys())
    now, joined = timezone.now(), 0 if begun else next_event_id()
    new = [user for user in first if user not in known]
    # As when an owner adds them: nobody who takes part is noted as removed.
    change.erase(Removal.objects.filter(conversation=conversation, user__in=new))
    change.insert(
        Participant(
            conversation=conversation,
            user_id=user,
            joined_at=conversation.created_at
            if begun
            else min(max(first[user], conversation.created_at), now),
            joined_position=joined,
            notified_from=conversation.last_sequence + 1,
        )
        for user in new
    )
    everyone = Participant.objects.filter(conversation=conversation)
    if new and not everyone.filter(role=Participant.Role.OWNER).exists():
        change.update(everyone.filter(user=new[0]), role=Participant.Role.OWNER)


def _known_participants(
    conversation: Conversation, users: Iterable[UserId]
) -> set[int | None]:
    """Those of these users who are participants, or wrote in the conversation before they left."""
    people = list(users)
    return {
        *Participant.objects.filter(
            conversation=conversation, user__in=people
        ).values_list("user_id", flat=True),
        *Message.objects.filter(conversation=conversation, sender__in=people)
        .values_list("sender_id", flat=True)
        .distinct(),
    }
