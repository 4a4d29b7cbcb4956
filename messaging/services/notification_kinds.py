"""The kind of a notification: a mention, a reply to one's own message, or any message."""

from dataclasses import dataclass

from messaging.models import Message, Participant
from messaging.models.notifications import NotificationKind
from messaging.text import mentioned_usernames


@dataclass(frozen=True, slots=True)
class Kinds:
    """Whom a message mentions, and whom it answers."""

    mentioned: frozenset[int]
    answered: int | None

    def of(self, user_id: int) -> NotificationKind:
        if user_id in self.mentioned:
            return NotificationKind.MENTION
        if user_id == self.answered:
            return NotificationKind.REPLY
        return NotificationKind.MESSAGE


def kinds_of(message: Message) -> Kinds:
    """The kinds of the notifications of a message; one query if it mentions anyone."""
    parent = message.parent_message
    return Kinds(
        mentioned=_mentioned_participants(message),
        answered=parent.sender_id if parent else None,
    )


def _mentioned_participants(message: Message) -> frozenset[int]:
    names = mentioned_usernames(message.content)
    if not names:
        return frozenset()
    return frozenset(
        Participant.objects.filter(
            conversation=message.conversation_id, user__username_key__in=names
        ).values_list("user_id", flat=True)
    )
