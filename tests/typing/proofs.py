"""Nobody acts on what they were not checked to have access to."""

from messaging.access import (
    Membership,
    Ownership,
    OwnMessage,
    ReadableMessage,
    ReceivedMessage,
    own_message,
    readable_message,
)
from messaging.ids import MessageId, UserId
from messaging.models import Message, Participant
from messaging.services.conversations import rename_group
from messaging.services.history import restore_version
from messaging.services.messages import delete_message, edit_message, send_message
from messaging.services.notifications import mark_message_read
from messaging.services.participants import put_participant
from messaging.services.summaries import conversation_summary
from messaging.services.threads import thread


def right(user: UserId, message_id: MessageId, owner: Ownership) -> None:
    thread(root=readable_message(reader=user, message_id=message_id), depth=1, nodes=9)
    delete_message(message=own_message(sender=user, message_id=message_id))
    conversation_summary(membership=owner)


def unchecked(message: Message, participant: Participant, user: UserId) -> None:
    thread(root=message, depth=1, nodes=9)  # E: arg-type
    edit_message(message=message, content="mine now")  # E: arg-type
    delete_message(message=message)  # E: arg-type
    restore_version(message=message, version=1)  # E: arg-type
    mark_message_read(message=message, reader=user)  # E: arg-type
    send_message(membership=participant, content="hello", parent_id=None)  # E: arg-type


def checked_for_less(
    readable: ReadableMessage, received: ReceivedMessage, membership: Membership
) -> None:
    edit_message(message=readable, content="mine now")  # E: arg-type
    delete_message(message=received)  # E: arg-type
    rename_group(group=membership, title="Ours")  # E: arg-type
    put_participant(group=membership, username="bob", role="member")  # E: arg-type


def checked_for_something_else(own: OwnMessage, user: UserId) -> None:
    mark_message_read(message=own, reader=user)  # E: arg-type
