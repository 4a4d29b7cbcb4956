"""Access checks: who may see and do what. Only this module makes the proof types below.

A function that takes a `ReadableMessage` needs no check of its own: the type proves
that access was checked. Rows that a user may not see are refused like rows that do not
exist, by a NotFoundError, so that ids cannot be probed.

A proof was true when it was made. A write checks under the conversation's lock whether
it still is: see messaging/changes.
"""

from typing import NewType

from django.db.models import Q, QuerySet

from messaging.database import CompiledQuery
from messaging.errors import (
    ConversationNotFoundError,
    DeletedMessageError,
    DirectConversationError,
    MessageNotFoundError,
    NotOwnerError,
    NotSenderError,
    OwnMessageError,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, Message, Participant, User
from messaging.models.conversations import ConversationQuerySet

# Staff who may invite people to the server.
Inviter = NewType("Inviter", User)
# A participant row with its `conversation` and `user` loaded.
Membership = NewType("Membership", Participant)
# The participant row of an owner of a group.
Ownership = NewType("Ownership", Membership)
# A message, loaded for display, of a conversation in which its reader is a participant.
ReadableMessage = NewType("ReadableMessage", Message)
# A message that its reader sent and that is not deleted.
OwnMessage = NewType("OwnMessage", ReadableMessage)
# A message that somebody else sent to its reader and that is not deleted.
ReceivedMessage = NewType("ReceivedMessage", ReadableMessage)


@CompiledQuery
def _membership(
    *, reader: UserId, conversation: ConversationId
) -> QuerySet[Participant]:
    return Participant.objects.select_related("conversation", "user").filter(
        conversation=conversation, user=reader
    )


@CompiledQuery
def _readable(*, reader: UserId, message: MessageId) -> QuerySet[Message]:
    return Message.objects.readable_by(reader).for_display().filter(pk=message)


def membership(*, reader: UserId, conversation_id: ConversationId) -> Membership:
    """Fetch a user's participant row, with its conversation and user.

    Raises:
        ConversationNotFoundError: there is no such conversation, or the reader is no
            participant.
    """
    participant = _membership.first(conversation=conversation_id, reader=reader)
    if participant is None:
        raise conversation_not_found()
    return Membership(participant)


def ownership(*, owner: UserId, conversation_id: ConversationId) -> Ownership:
    """Fetch the participant row of an owner of a group; only owners may change it.

    Raises:
        ConversationNotFoundError: as for `membership`.
        DirectConversationError: the conversation is no group, so nobody can change it.
        NotOwnerError: only others own the group.
    """
    participant = membership(reader=owner, conversation_id=conversation_id)
    if participant.conversation.is_direct:
        raise DirectConversationError(
            "A direct conversation keeps its two people and has no title."
        )
    if participant.role != Participant.Role.OWNER:
        raise NotOwnerError("Only an owner of the group may do this.")
    return Ownership(participant)


def inviter(user: User) -> Inviter | None:
    """The user, if they may invite people to the server: superusers, and staff with the
    permission to add invite codes. They see and revoke each other's invitations.
    """
    # `has_perm` is true of each active superuser.
    entitled = user.is_staff or user.is_superuser
    return (
        Inviter(user)
        if entitled and user.has_perm("messaging.add_invitecode")
        else None
    )


def readable_message(*, reader: UserId, message_id: MessageId) -> ReadableMessage:
    """Fetch a message or tombstone, if the reader is a participant of its conversation.

    Raises:
        MessageNotFoundError: there is no such message, or the reader may not see it.
    """
    message = _readable.first(reader=reader, message=message_id)
    if message is None:
        raise message_not_found()
    return ReadableMessage(message)


def own_message(*, sender: UserId, message_id: MessageId) -> OwnMessage:
    """Fetch a message that its sender may change or delete.

    Raises:
        MessageNotFoundError: as for `readable_message`.
        DeletedMessageError: only its tombstone is left.
        NotSenderError: another user sent it.
    """
    message = _written_message(reader=sender, message_id=message_id)
    if message.sender_id != sender:
        raise NotSenderError("Only who sent a message may change or delete it.")
    return OwnMessage(message)


def received_message(*, reader: UserId, message_id: MessageId) -> ReceivedMessage:
    """Fetch a message that its reader may mark read and unread.

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


def conversations_naming(*user_ids: int) -> ConversationQuerySet:
    """The conversations whose pages may show the name of one of these users.

    Those are the conversations of the user, and those in which they wrote before they
    left.
    """
    joined = Participant.objects.filter(user__in=user_ids)
    wrote = Message.objects.filter(sender__in=user_ids)
    return Conversation.objects.filter(
        Q(pk__in=joined.values("conversation")) | Q(pk__in=wrote.values("conversation"))
    )


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
