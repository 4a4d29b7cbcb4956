"""Services are called by the names of their arguments, all of them."""

from messaging.access import Membership, OwnMessage
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import User
from messaging.services.message_lists import newest_messages
from messaging.services.messages import edit_message, send_direct_message, send_message
from messaging.services.users import register


def right(membership: Membership) -> None:
    send_message(membership=membership, content="hello", parent_id=None)


def wrong_arguments(
    membership: Membership, own: OwnMessage, ann: User, bob: User
) -> None:
    send_message(membership=membership, content="hello")  # E: call-arg
    send_message(membership, "hello", None)  # E: call-arg
    edit_message(message=own, content=None)  # E: arg-type
    edit_message(message=own, text="hello")  # E: call-arg
    send_direct_message(
        sender=ann,
        receiver=bob.username,  # E: arg-type
        content="hello",
        parent_id=None,
    )
    register(username="ann", password="", display_name=b"Ann")  # E: arg-type


def wrong_results(conversation: ConversationId, user: UserId) -> MessageId:
    page = newest_messages(conversation_id=conversation, limit=10)
    page.items = []  # E: misc
    str(page.items[0].contents)  # E: attr-defined
    page.next_cursor.upper()  # E: union-attr
    return user  # E: return-value
