"""Conversations and who takes part in them."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from api.parsing import Written, render_json
from api.schemas.fields import In, Out, Text, Username
from api.schemas.messages import MessageOut
from api.schemas.people import UserFields, UserOut, user_fields, user_out
from messaging.ids import ConversationId
from messaging.models import Participant
from messaging.models.conversations import ConversationKind, ParticipantRole
from messaging.pages import Page
from messaging.services.summaries import ConversationSummary
from messaging.shown import ShownMessage


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


class _ConversationFields(TypedDict):
    """A `ConversationOut`, as it is written."""

    id: ConversationId
    kind: ConversationKind
    title: str
    participant: UserFields | None
    participant_count: int
    role: ParticipantRole
    muted: bool
    hidden: bool
    created_at: datetime
    last_activity_at: datetime
    last_sequence: int
    last_message: ShownMessage | None
    unread_count: int


def conversation_out(summary: ConversationSummary) -> ConversationOut:
    return ConversationOut.model_validate(_fields(summary), from_attributes=True)


def conversation_page(page: Page[ConversationSummary]) -> Written[ConversationPage]:
    items = [_fields(summary) for summary in page.items]
    return Written(render_json({"items": items, "next_cursor": page.next_cursor}))


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


def _fields(summary: ConversationSummary) -> _ConversationFields:
    conversation = summary.conversation
    return {
        "id": ConversationId(conversation.pk),
        "kind": ConversationKind(conversation.kind),
        "title": conversation.title,
        "participant": None if summary.other is None else user_fields(summary.other),
        "participant_count": summary.participant_count,
        "role": ParticipantRole(summary.role),
        "muted": summary.muted,
        "hidden": summary.hidden,
        "created_at": conversation.created_at,
        "last_activity_at": conversation.last_activity_at,
        "last_sequence": conversation.last_sequence,
        "last_message": summary.last_message,
        "unread_count": summary.unread_count,
    }
