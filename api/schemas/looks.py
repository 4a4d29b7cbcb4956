from datetime import datetime

from pydantic import Field

from api.schemas.fields import In, LookIdIn, Out
from api.schemas.users import UserOut
from messaging.ids import ConversationId, LookId, MessageId
from messaging.models.looks import LookSource
from messaging.pagination import Page
from messaging.services.looks import LookProjection


class LookOut(Out):
    """A look of staff at a conversation of yours, or a password that they set for you."""

    id: LookId
    by: UserOut | None = Field(description="Null if their account is gone.")
    source: LookSource = Field(
        description="The page of the admin: `conversations` and `participants` name the "
        "conversation and who takes part, `messages`, `histories` and `notifications` "
        "show what was written; by `password` they set you a new one."
    )
    conversation_id: ConversationId | None = Field(
        description="Null for a password. The conversation may be gone since."
    )
    message_id: MessageId | None = Field(
        description="The message that they opened; null if they saw a list."
    )
    at: datetime = Field(
        description="When it began: looks by the same page within ten minutes are one."
    )
    is_new: bool = Field(description="Whether you have not marked it as seen.")


class LookPage(Out):
    items: list[LookOut]
    next_cursor: str | None


class LooksSeenIn(In):
    up_to: LookIdIn = Field(description="The id of the newest look you saw.")


def look_page(page: Page[LookProjection]) -> LookPage:
    return LookPage(
        items=[
            LookOut.model_validate(each, from_attributes=True) for each in page.items
        ],
        next_cursor=page.next_cursor,
    )
