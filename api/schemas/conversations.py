"""Conversations and participants."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.parsing import Written, render_json
from api.schemas.fields import In, Out, PageQuery, Text, Username
from api.schemas.messages import MessageOut
from api.schemas.users import UserOut
from messaging.ids import ConversationId
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.pagination import Page
from messaging.services.participant_lists import ListedParticipant
from messaging.services.summaries import ConversationSummary


class DirectIn(In):
    """A direct conversation between you and one other person."""

    kind: Literal["direct"]
    participant: Username


class GroupIn(In):
    """A group of you, its first owner, and others."""

    kind: Literal["group"]
    title: Text = Field(description="1 to 200 characters.")
    participants: list[Username] = Field(
        max_length=10_000, description="Without you, or with: it is the same."
    )


ConversationIn = Annotated[DirectIn | GroupIn, Field(discriminator="kind")]


class ConversationPatch(In):
    title: Text = Field(description="1 to 200 characters.")


class ParticipantIn(In):
    role: Literal["owner", "member"] = "member"


class ConversationOut(Out):
    """A conversation as its participant sees it in their list."""

    id: ConversationId
    kind: ConversationKind
    title: str = Field(description="Empty in a direct conversation.")
    participant: UserOut | None = Field(
        description="The other person of a direct conversation, null in a group."
    )
    participant_count: int
    role: ParticipantRole = Field(description="Yours.")
    muted: bool = Field(
        description="Whether your notifications of it are silent, and its unread messages"
        " are in no badge unless they mention you."
    )
    hidden: bool = Field(description="Out of your list until its next message.")
    created_at: datetime
    last_activity_at: datetime = Field(description="When the last message came.")
    last_sequence: int = Field(description="The newest number given to a message.")
    last_message: MessageOut | None
    unread_count: int
    badge_count: int = Field(
        description="For badges and bold titles: the unread, or, while it is muted, those"
        " of them that mention you."
    )


class ConversationPage(Out):
    items: list[ConversationOut]
    next_cursor: str | None


class ParticipantOut(Out):
    user: UserOut
    role: ParticipantRole
    joined_at: datetime
    online: bool = Field(description="Whether they have a stream of events open.")
    last_seen_at: datetime | None = Field(
        description="When they last had one, to the minute; `null` if they never did, or"
        " if you may not see it: one of you hides it, or there is a block between you."
        " Then `online` is `false`."
    )


class ParticipantQuery(PageQuery):
    query: Text | None = Field(
        None,
        min_length=1,
        max_length=64,
        description="Any part of the username or the display name, as in the search for"
        " people.",
    )


class ParticipantPage(Out):
    items: list[ParticipantOut]
    next_cursor: str | None


def conversation_out(summary: ConversationSummary) -> ConversationOut:
    return ConversationOut.model_validate(summary, from_attributes=True)


def conversation_page(page: Page[ConversationSummary]) -> Written[ConversationPage]:
    return Written(render_json({"items": page.items, "next_cursor": page.next_cursor}))


def participant_page(page: Page[ListedParticipant]) -> ParticipantPage:
    return ParticipantPage.model_validate(page, from_attributes=True)
