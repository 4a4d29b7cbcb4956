"""What the API answers is what its schemas say."""

from datetime import datetime

from api.parsing import Written
from api.schemas.messages import MessageIn, MessageOut, MessagePage, message_page
from api.schemas.users import UserOut, user_out
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Notification, User
from messaging.pagination import Page


def right(user: User) -> UserOut:
    return user_out(user)


def wrong_fields(message: MessageId, user: UserId, now: datetime) -> None:
    UserOut(id=user, username="ann")  # E: call-arg
    UserOut(id=message, username="ann", display_name="Ann")  # E: arg-type
    UserOut(id=user, username="ann", display_name="Ann", email="")  # E: call-arg
    MessageIn(content=1)  # E: arg-type
    MessageIn(content="hello", parent=message)  # E: call-arg
    MessageOut(
        id=message,
        conversation_id=message,  # E: arg-type
        sequence="1",  # E: arg-type
        sender=None,
        receiver=None,
        content="",
        timestamp=now,
        read=False,
        edited=None,  # E: arg-type
        deleted=False,
        version=1,
        parent_message_id=ConversationId(1),  # E: arg-type
        reply_count=0,
    )


def wrong_use(shown: MessageOut, page: Page[Notification]) -> Written[MessagePage]:
    shown.content = "changed"  # E: misc
    str(shown.contents)  # E: attr-defined
    str(shown.sender.username)  # E: union-attr
    return message_page(page)  # E: arg-type
