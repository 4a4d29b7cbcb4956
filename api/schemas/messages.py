"""Messages, their trees, histories and receipts."""

from datetime import datetime
from typing import Self, TypedDict

from pydantic import BaseModel, Field, model_validator

from api.parsing import Written, render_json
from api.schemas.fields import (
    In,
    MessageIdIn,
    Out,
    PageQuery,
    Text,
    Username,
)
from api.schemas.people import UserOut, user_out
from messaging.ids import MAX_ID, ConversationId, MessageId, NotificationId
from messaging.models import Notification
from messaging.models.notifications import NotificationKind
from messaging.pages import Page
from messaging.services.history import Change, Version
from messaging.services.inbox import Inbox, InboxSummary
from messaging.services.threads import Reply, ThreadNode
from messaging.shown import AnyMessage, ShownMessage, shown_message


class MessageOut(Out):
    """A message; deleted ones with replies stay, empty, in their place."""

    id: MessageId
    conversation_id: ConversationId
    sequence: int = Field(description="Its place in the conversation: 1, 2, 3 …")
    sender: UserOut | None = Field(description="Null when deleted.")
    receiver: UserOut | None = Field(description="Null in groups and when deleted.")
    content: str
    timestamp: datetime
    read: bool = Field(description="Whether all who were notified have read it.")
    edited: bool
    deleted: bool
    version: int = Field(
        description="1, and one more with each edit; named by the message's ETag."
    )
    parent_message_id: MessageId | None
    reply_count: int = Field(description="Direct replies, deleted ones included.")


class ReplyOut(MessageOut):
    depth: int = Field(description="1 for a direct reply to the root.")


class ThreadOut(MessageOut):
    """A message with the replies below it."""

    depth: int = Field(description="0 for the root.")
    descendant_count: int = Field(description="All below it, those left out too.")
    has_more_replies: bool = Field(description="Whether direct replies were left out.")
    replies: list["ThreadOut"]


class MessagePage(Out):
    items: list[MessageOut]
    next_cursor: str | None


class ReplyPage(Out):
    items: list[ReplyOut]
    next_cursor: str | None


class InboxPage(MessagePage):
    up_to: str = Field(
        description="For PUT /inbox/read: clears what had arrived by now."
    )


class InboxSummaryOut(Out):
    unread_count: int
    mention_count: int = Field(description="Of the unread, those that mention you.")
    conversation_count: int = Field(description="Conversations with unread messages.")
    up_to: str = Field(description="For PUT /inbox/read: clears what is counted here.")


class InboxReadIn(In):
    up_to: Text = Field(max_length=1000)


class ContentIn(In):
    content: Text = Field(
        min_length=1, description="1 to 5,000 characters after trimming."
    )


class MessagePatch(ContentIn):
    """The new content."""


class MessageIn(ContentIn):
    parent_message_id: MessageIdIn | None = Field(
        None, description="The message of this conversation that it replies to."
    )


class DirectMessageIn(MessageIn):
    receiver: Username


class ReadIn(In):
    up_to_sequence: int = Field(ge=0, le=MAX_ID)


class TimelineQuery(PageQuery):
    around: MessageIdIn | None = Field(
        None, description="A page with this message in its middle."
    )
    after_sequence: int | None = Field(
        None, ge=0, le=MAX_ID, description="What came after it, oldest first."
    )

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        starts = (self.cursor, self.around, self.after_sequence)
        if sum(start is not None for start in starts) > 1:
            raise ValueError("Give one of cursor, around and after_sequence.")
        return self


class ThreadQuery(BaseModel):
    depth: int = Field(20, ge=0, le=50, description="Levels below the root.")
    nodes: int = Field(500, ge=1, le=2000, description="Messages, the root included.")


class DiffPartOut(Out):
    change: Change
    text: str


class VersionOut(Out):
    """What a message said, from `edited_at` on."""

    version: int = Field(description="1 for the original.")
    content: str
    edited_at: datetime | None = Field(description="Null for the original.")
    edited_by: UserOut | None = Field(description="Null for the original.")
    diff: list[DiffPartOut] | None = Field(
        description="Word by word from the version before; null without one."
    )


class VersionPage(Out):
    items: list[VersionOut]
    next_cursor: str | None


class ReceiptOut(Out):
    user: UserOut
    read: bool


class ReceiptPage(Out):
    items: list[ReceiptOut]
    next_cursor: str | None


class NotificationOut(Out):
    id: NotificationId
    kind: NotificationKind
    message: MessageOut
    created_at: datetime
    is_read: bool
    silent: bool = Field(description="Made while the conversation was muted.")


class NotificationPage(Out):
    items: list[NotificationOut]
    next_cursor: str | None


class _NotificationFields(TypedDict):
    id: NotificationId
    kind: NotificationKind
    message: ShownMessage
    created_at: datetime
    is_read: bool
    silent: bool


def message_out(message: AnyMessage) -> MessageOut:
    return MessageOut.model_validate(shown_message(message), from_attributes=True)


def message_page(page: Page[ShownMessage]) -> Written[MessagePage]:
    return Written(render_json({"items": page.items, "next_cursor": page.next_cursor}))


def reply_page(page: Page[Reply]) -> Written[ReplyPage]:
    return Written(render_json({"items": page.items, "next_cursor": page.next_cursor}))


def thread_out(root: ThreadNode) -> Written[ThreadOut]:
    return Written(render_json(root))


def inbox_page(inbox: Inbox) -> Written[InboxPage]:
    return Written(
        render_json(
            {
                "items": inbox.page.items,
                "next_cursor": inbox.page.next_cursor,
                "up_to": inbox.up_to,
            }
        )
    )


def inbox_summary_out(summary: InboxSummary) -> InboxSummaryOut:
    return InboxSummaryOut(
        unread_count=summary.unread_count,
        mention_count=summary.mention_count,
        conversation_count=summary.conversation_count,
        up_to=summary.up_to,
    )


def version_page(page: Page[Version]) -> Written[VersionPage]:
    items = [
        {
            "version": version.number,
            "content": version.content,
            "edited_at": version.edited_at,
            "edited_by": version.edited_by and user_out(version.edited_by).model_dump(),
            "diff": version.diff,
        }
        for version in page.items
    ]
    return Written(render_json({"items": items, "next_cursor": page.next_cursor}))


def receipt_page(page: Page[Notification]) -> ReceiptPage:
    return ReceiptPage(
        items=[
            ReceiptOut(user=user_out(receipt.user), read=receipt.is_read)
            for receipt in page.items
        ],
        next_cursor=page.next_cursor,
    )


def notification_out(notification: Notification) -> NotificationOut:
    return NotificationOut.model_validate(
        _notification_fields(notification), from_attributes=True
    )


def notification_page(page: Page[Notification]) -> Written[NotificationPage]:
    items = [_notification_fields(each) for each in page.items]
    return Written(render_json({"items": items, "next_cursor": page.next_cursor}))


def _notification_fields(notification: Notification) -> _NotificationFields:
    return {
        "id": NotificationId(notification.pk),
        "kind": NotificationKind(notification.kind),
        "message": shown_message(notification.message),
        "created_at": notification.created_at,
        "is_read": notification.is_read,
        "silent": notification.silent,
    }
