"""Conversations and who takes part in them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.schemas.fields import In, Out, Text, Username
from api.schemas.messages import MessageOut, message_out
from api.schemas.people import UserOut, user_out
from messaging.ids import ConversationId
from messaging.models import Participant
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.pages import Page
from messaging.services.conversations import ConversationSummary


class DirectIn(In):
    """Between you and one other person."""

    kind: Literal["direct"]
    participant: Username


class GroupIn(In):
    """Between you, its owner, and others."""

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
    """A conversation as you see it in your list."""

    id: ConversationId
    kind: ConversationKind
    title: str = Field(description="Empty in a direct conversation.")
    participant: UserOut | None = Field(
        description="The other person of a direct conversation, null in a group."
    )
    participant_count: int
    role: ParticipantRole = Field(description="Yours.")
    muted: bool = Field(description="Whether your notifications of it are silent.")
    hidden: bool = Field(description="Out of your list until its next message.")
    created_at: datetime
    last_activity_at: datetime = Field(description="When the last message came.")
    last_sequence: int = Field(description="The newest number given to a message.")
    last_message: MessageOut | None
    unread_count: int


class ConversationPage(Out):
    items: list[ConversationOut]
    next_cursor: str | None


class ParticipantOut(Out):
    user: UserOut
    role: ParticipantRole
    joined_at: datetime


class ParticipantPage(Out):
    items: list[ParticipantOut]
    next_cursor: str | None


def conversation_out(summary: ConversationSummary) -> ConversationOut:
    conversation = summary.conversation
    return ConversationOut(
        id=ConversationId(conversation.pk),
        kind=ConversationKind(conversation.kind),
        title=conversation.title,
        participant=None if summary.other is None else user_out(summary.other),
        participant_count=summary.participant_count,
        role=ParticipantRole(summary.role),
        muted=summary.muted,
        hidden=summary.hidden,
        created_at=conversation.created_at,
        last_activity_at=conversation.last_activity_at,
        last_sequence=conversation.last_sequence,
        last_message=(
            None if summary.last_message is None else message_out(summary.last_message)
        ),
        unread_count=summary.unread_count,
    )


def conversation_page(page: Page[ConversationSummary]) -> ConversationPage:
    return ConversationPage(
        items=[conversation_out(summary) for summary in page.items],
        next_cursor=page.next_cursor,
    )


def participant_page(page: Page[Participant]) -> ParticipantPage:
    return ParticipantPage(
        items=[
            ParticipantOut(
                user=user_out(part.user),
                role=ParticipantRole(part.role),
                joined_at=part.joined_at,
            )
            for part in page.items
        ],
        next_cursor=page.next_cursor,
    )
