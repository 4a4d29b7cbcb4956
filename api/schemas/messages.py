"""Messages, their trees, histories and receipts."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.parsing import Written, render_json
from api.schemas.fields import (
    In,
    MessageIdIn,
    Number,
    Out,
    PageQuery,
    SequenceIn,
    Text,
    Username,
)
from api.schemas.users import UserOut
from messaging.ids import MAX_ID, ConversationId, MessageId, NotificationId, Sequence
from messaging.models.notifications import NotificationKind
from messaging.pagination import Page
from messaging.projections import MessageProjection, NotificationProjection
from messaging.sequence_ranges import MOST_RANGES, SequenceRange
from messaging.services.history import DiffOperation, Version
from messaging.services.inbox import Inbox, InboxSummary
from messaging.services.receipts import Receipt
from messaging.services.threads import Reply, ThreadNode


class MessageOut(Out):
    """A message, or the tombstone of a deleted message that has replies."""

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
    """A message with the replies below it, as a tree."""

    depth: int = Field(description="0 for the root.")
    descendant_count: int = Field(
        description="All below it, those left out too, of the tree's first 20,000."
    )
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
    badge_count: int = Field(
        description="For badges and titles: the unread, without those of muted"
        " conversations that do not mention you."
    )
    mention_count: int = Field(description="Of the unread, those that mention you.")
    conversation_count: int = Field(description="Conversations with unread messages.")
    new_looks: int = Field(
        description="Looks of staff at your conversations that you have not seen: see "
        "GET /me/looks."
    )
    up_to: str = Field(description="For PUT /inbox/read: clears what is counted here.")


class InboxReadIn(In):
    up_to: Text = Field(max_length=1000)


class ContentIn(In):
    content: Text = Field(
        min_length=1,
        description="1 to 5,000 characters, of which at least one can be seen. Lines end "
        "in LF (CRLF and CR become it); blank lines around it and blanks at its end go.",
    )


class MessagePatch(ContentIn):
    """The new content of a message."""


class MessageIn(ContentIn):
    parent_message_id: MessageIdIn | None = Field(
        None, description="The message of this conversation that it replies to."
    )


class DirectMessageIn(MessageIn):
    receiver: Username


class SequenceRangeIn(In):
    """Messages of a conversation, from the first to the last, both included."""

    first_sequence: int = Field(ge=1, le=MAX_ID)
    last_sequence: int = Field(ge=1, le=MAX_ID)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_sequence > self.last_sequence:
            raise ValueError("The last sequence comes before the first.")
        return self


class ReadIn(In):
    """What was seen: one of the two."""

    # Not a `oneOf`, which some tools refuse for a body.
    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    # By factories, so that the document names no defaults.
    up_to_sequence: int = Field(
        default_factory=lambda: 0,
        ge=0,
        le=MAX_ID,
        description="Everything up to this message, and with it.",
    )
    ranges: list[SequenceRangeIn] = Field(
        default_factory=list,
        min_length=1,
        max_length=MOST_RANGES,
        description="Only these messages. In any order; they may overlap.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("Give one of up_to_sequence and ranges.")
        return self

    def seen(self) -> list[SequenceRange]:
        if "ranges" not in self.model_fields_set:
            return [SequenceRange(Sequence(0), Sequence(self.up_to_sequence))]
        return [
            SequenceRange(Sequence(each.first_sequence), Sequence(each.last_sequence))
            for each in self.ranges
        ]


class TimelineQuery(PageQuery):
    around: MessageIdIn | None = Field(
        None, description="A page with this message in its middle."
    )
    after_sequence: SequenceIn | None = Field(
        None, description="What came after it, oldest first."
    )

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        starts = (self.cursor, self.around, self.after_sequence)
        if sum(start is not None for start in starts) > 1:
            raise ValueError("Give one of cursor, around and after_sequence.")
        return self


class ThreadQuery(BaseModel):
    depth: Number = Field(20, ge=0, le=50, description="Levels below the root.")
    nodes: Number = Field(
        500, ge=1, le=2000, description="Messages, the root included."
    )


class DiffPartOut(Out):
    change: DiffOperation
    text: str


class VersionOut(Out):
    """A version of a message's content, which was written at `edited_at`."""

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


def message_out(message: MessageProjection) -> MessageOut:
    return MessageOut.model_validate(message, from_attributes=True)


def message_page(page: Page[MessageProjection]) -> Written[MessagePage]:
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
    return InboxSummaryOut.model_validate(summary, from_attributes=True)


def version_page(page: Page[Version]) -> Written[VersionPage]:
    return Written(render_json({"items": page.items, "next_cursor": page.next_cursor}))


def receipt_page(page: Page[Receipt]) -> ReceiptPage:
    return ReceiptPage.model_validate(page, from_attributes=True)


def notification_out(notification: NotificationProjection) -> NotificationOut:
    return NotificationOut.model_validate(notification, from_attributes=True)


def notification_page(page: Page[NotificationProjection]) -> Written[NotificationPage]:
    return Written(render_json({"items": page.items, "next_cursor": page.next_cursor}))
