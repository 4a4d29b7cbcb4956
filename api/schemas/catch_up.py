"""What waits for the caller, by conversation and thread."""

from typing import Literal

from pydantic import Field

from api.parsing import Written, render_json
from api.schemas.conversations import ConversationOut
from api.schemas.fields import Out, PageQuery
from api.schemas.messages import MessageOut, NotificationOut
from messaging.services.catch_up import CatchUp


class CatchUpQuery(PageQuery):
    show: Literal["all", "mentions", "replies"] = Field(
        "all", description="Which of it to show."
    )


class UnreadThreadOut(Out):
    """Unread messages that hang from one message."""

    root: MessageOut | None = Field(
        description="May itself be among the unread. Null for those in no thread."
    )
    notifications: list[NotificationOut] = Field(description="Oldest first.")


class UnreadConversationOut(Out):
    conversation: ConversationOut
    mention_count: int = Field(description="Of what waits here, whatever the filter.")
    reply_count: int
    threads: list[UnreadThreadOut]
    next_cursor: str | None = Field(
        description="As `cursor`, answers with more of this conversation alone."
    )


class CatchUpPage(Out):
    items: list[UnreadConversationOut]
    next_cursor: str | None
    badge_count: int = Field(
        description="All that waits, whatever the filter: the unread, without those of"
        " muted conversations that do not mention you."
    )
    mention_count: int
    reply_count: int


def catch_up_page(found: CatchUp) -> Written[CatchUpPage]:
    return Written(render_json(found))
