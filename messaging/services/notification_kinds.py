"""The kind of a notification: a mention, a reply to one's own message, or any message."""

from dataclasses import dataclass

from messaging.models import Message
from messaging.models.notifications import NotificationKind
from messaging.services.mentions import mentioned_participants


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
        mentioned=frozenset(
            mentioned_participants(
                conversation_id=message.conversation_id, contents=[message.content]
            ).values()
        ),
        answered=parent.sender_id if parent else None,
    )
