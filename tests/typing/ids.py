"""An id of one thing is no id of another, and no plain number."""

from messaging.access import membership, readable_message
from messaging.ids import ConversationId, MessageId, Sequence, TokenId, UserId
from messaging.services.conversations import open_direct, page_version
from messaging.services.message_lists import messages_around, newest_messages
from messaging.services.tokens import revoke_token


def right(message: MessageId, conversation: ConversationId, user: UserId) -> None:
    membership(reader=user, conversation_id=conversation)
    readable_message(reader=user, message_id=message)
    messages_around(conversation_id=conversation, message_id=message, limit=10)


def of_something_else(
    message: MessageId, conversation: ConversationId, user: UserId
) -> None:
    membership(reader=user, conversation_id=message)  # E: arg-type
    membership(reader=message, conversation_id=conversation)  # E: arg-type
    readable_message(reader=user, message_id=conversation)  # E: arg-type
    page_version(reader=conversation, conversation_id=conversation)  # E: arg-type
    newest_messages(conversation_id=user, limit=10)  # E: arg-type
    open_direct(one=user, other=message)  # E: arg-type
    revoke_token(owner=user, token_id=message)  # E: arg-type


def no_id_at_all(user: UserId, token: TokenId, sequence: Sequence) -> None:
    membership(reader=user, conversation_id=1)  # E: arg-type
    membership(reader="ann", conversation_id=ConversationId(1))  # E: arg-type
    revoke_token(owner=None, token_id=token)  # E: arg-type
    readable_message(reader=user, message_id=sequence)  # E: arg-type
