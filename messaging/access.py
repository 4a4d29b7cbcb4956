"""Who may see and do what. The proof types below are made here and nowhere else.

A function that takes a `ReadableMessage` needs no check of its own: there is no
way to get one past these. Every refusal to see is a NotFoundError, whether the
thing is missing or someone else's, so that ids cannot be probed.

A proof tells what held when it was made. What must still hold when a write
happens is checked again under the conversation's lock: see `locked_for`.
"""

from collections.abc import Collection
from typing import Final, NewType

from messaging.errors import (
    ConversationNotFoundError,
    DeletedMessageError,
    DirectConversationError,
    MessageNotFoundError,
    NotOwnerError,
    NotSenderError,
    OwnMessageError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, Message, Participant, User
from messaging.models.conversations import ConversationQuerySet
from messaging.statements import Parameter, Statement

# Someone's part in a conversation, `conversation` and `user` loaded along.
Membership = NewType("Membership", Participant)
# The part of a group's owner.
Ownership = NewType("Ownership", Membership)
# A message of a conversation its reader takes part in, loaded for display.
ReadableMessage = NewType("ReadableMessage", Message)
# A readable message that its reader sent and that is not deleted.
OwnMessage = NewType("OwnMessage", ReadableMessage)
# A readable message that someone else sent and that is not deleted.
ReceivedMessage = NewType("ReceivedMessage", ReadableMessage)


_PART: Final = Statement(
    lambda: Participant.objects.select_related("conversation", "user").filter(
        conversation=Parameter("conversation"), user=Parameter("reader")
    )
)
_READABLE: Final = Statement(
    lambda: (
        Message.objects.readable_by(Parameter("reader"))
        .for_display()
        .filter(pk=Parameter("message"))
    )
)
_LOCKED: Final = Statement(
    lambda: Conversation.objects.filter(pk=Parameter("conversation")).locked()
)
_TAKES_PART: Final = Statement(
    lambda: Participant.objects.filter(
        conversation=Parameter("conversation"), user=Parameter("participant")
    ).values_list("pk")
)


def membership(*, reader: UserId, conversation_id: ConversationId) -> Membership:
    """Someone's part in a conversation, with the conversation and the person.

    Raises:
        ConversationNotFoundError: no such conversation, or no part of theirs in it.
    """
    part = _PART.first(conversation=conversation_id, reader=reader)
    if part is None:
        raise conversation_not_found()
    return Membership(part)


def ownership(*, owner: UserId, conversation_id: ConversationId) -> Ownership:
    """The part of the one person who may change a group.

    Raises:
        ConversationNotFoundError: as for `membership`.
        DirectConversationError: it is no group, and cannot be changed by anyone.
        NotOwnerError: someone else owns the group.
    """
    part = membership(reader=owner, conversation_id=conversation_id)
    if part.conversation.is_direct:
        raise DirectConversationError(
            "A direct conversation keeps its two people and has no title."
        )
    if part.role != Participant.Role.OWNER:
        raise NotOwnerError("Only the owner of the group may do this.")
    return Ownership(part)


def readable_message(*, reader: UserId, message_id: MessageId) -> ReadableMessage:
    """A message of a conversation its reader takes part in, or its tombstone.

    Raises:
        MessageNotFoundError: no such message, or none this reader may see.
    """
    message = _READABLE.first(reader=reader, message=message_id)
    if message is None:
        raise message_not_found()
    return ReadableMessage(message)


def own_message(*, sender: UserId, message_id: MessageId) -> OwnMessage:
    """A message its sender may change or delete.

    Raises:
        MessageNotFoundError: as for `readable_message`.
        DeletedMessageError: only its tombstone is left.
        NotSenderError: someone else sent it.
    """
    message = _written_message(reader=sender, message_id=message_id)
    if message.sender_id != sender:
        raise NotSenderError("Only who sent a message may change or delete it.")
    return OwnMessage(message)


def received_message(*, reader: UserId, message_id: MessageId) -> ReceivedMessage:
    """A message that its reader may mark read and unread.

    Raises:
        MessageNotFoundError: as for `readable_message`.
        DeletedMessageError: only its tombstone is left.
        OwnMessageError: the reader sent it.
    """
    message = _written_message(reader=reader, message_id=message_id)
    if message.sender_id == reader:
        raise OwnMessageError(
            "Your own messages are neither read nor unread to you.",
            field="message_id",
        )
    return ReceivedMessage(message)


def locked_for(*, participant: UserId, conversation_id: ConversationId) -> Conversation:
    """Lock a conversation for a write by someone who still takes part in it.

    Every write locks its conversation first, so that what it decides on holds
    until it commits; within a transaction only.

    Raises:
        ConversationNotFoundError: they no longer do, or it is gone.
    """
    conversation = _LOCKED.first(conversation=conversation_id)
    # A statement of its own: in a join, PostgreSQL would go by the participants
    # as they were before it waited for the lock.
    part = _TAKES_PART.first(conversation=conversation_id, participant=participant)
    if conversation is None or part is None:
        raise conversation_not_found()
    return conversation


def locked_for_participant(membership: Membership) -> Conversation:
    """`locked_for`, for whom the proof was made."""
    return locked_for(
        participant=UserId(membership.user_id),
        conversation_id=ConversationId(membership.conversation_id),
    )


def locked_for_owner(group: Membership) -> Conversation:
    """Lock a group for a write by someone who still owns it.

    Raises:
        ConversationNotFoundError: they take no part any more.
        NotOwnerError: it was handed over, or never theirs.
    """
    conversation = locked_for_participant(group)
    owned = Participant.objects.filter(pk=group.pk, role=Participant.Role.OWNER)
    if not owned.exists():
        raise NotOwnerError("Only the owner of the group may do this.")
    return conversation


def lock_conversations(conversations: ConversationQuerySet) -> list[ConversationId]:
    """Lock several conversations, always by ascending id; within a transaction only."""
    return [ConversationId(row.pk) for row in conversations.locked().only("pk")]


def lock_users(user_ids: Collection[int]) -> None:
    """Keep accounts from being deleted until they take part in something new.

    In a transaction, after its conversations are locked. Without it, both databases
    would find out only when it commits, and hold up everybody meanwhile.

    Raises:
        UserNotFoundError: one was deleted just now.
    """
    users = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids)
    if len(users.order_by("pk").values_list("pk")) != len(user_ids):
        raise UserNotFoundError("There is no such person.")


def conversation_not_found() -> ConversationNotFoundError:
    return ConversationNotFoundError("There is no such conversation.")


def message_not_found() -> MessageNotFoundError:
    return MessageNotFoundError("There is no such message.")


def message_deleted() -> DeletedMessageError:
    return DeletedMessageError("The message was deleted.")


def _written_message(*, reader: UserId, message_id: MessageId) -> ReadableMessage:
    message = readable_message(reader=reader, message_id=message_id)
    if message.deleted:
        raise message_deleted()
    return message
