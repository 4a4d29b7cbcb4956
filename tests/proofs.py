"""Proofs of access for tests of services, made the only way there is: by asking."""

from messaging import access
from messaging.access import (
    Membership,
    Ownership,
    OwnMessage,
    ReadableMessage,
    ReceivedMessage,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, Message, User
from messaging.projections import MessageProjection


def membership_of(user: User, conversation: Conversation) -> Membership:
    return access.membership(
        reader=UserId(user.pk), conversation_id=ConversationId(conversation.pk)
    )


def owned_by(user: User, conversation: Conversation) -> Ownership:
    return access.ownership(
        owner=UserId(user.pk), conversation_id=ConversationId(conversation.pk)
    )


def readable_by(user: User, message: Message) -> ReadableMessage:
    return access.readable_message(
        reader=UserId(user.pk), message_id=MessageId(message.pk)
    )


def own_of(user: User, message: Message | MessageProjection) -> OwnMessage:
    return access.own_message(sender=UserId(user.pk), message_id=MessageId(message.pk))


def received_by(user: User, message: Message) -> ReceivedMessage:
    return access.received_message(
        reader=UserId(user.pk), message_id=MessageId(message.pk)
    )
