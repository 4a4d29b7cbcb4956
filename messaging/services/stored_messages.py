"""Messages as they are stored by now, read again under their conversation's lock."""

from django.db.models import QuerySet

from messaging.access import message_deleted, message_not_found
from messaging.database import CompiledQuery
from messaging.models import Message


@CompiledQuery
def _stored(*, message: int) -> QuerySet[Message]:
    return Message.objects.filter(pk=message)


def stored_message(message: Message) -> Message:
    """Read the message's row again; requires the conversation's lock.

    Raises:
        MessageNotFoundError: the message was deleted meanwhile.
        DeletedMessageError: only its tombstone is left.
    """
    stored = _stored.first(message=message.pk)
    if stored is None:
        raise message_not_found()
    if stored.deleted:
        raise message_deleted()
    return stored
