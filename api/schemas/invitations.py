"""Invitations to groups, and what whoever has a code may see of one."""

from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import Field

from api.schemas.fields import In, Out
from api.schemas.users import UserOut, user_out
from messaging.ids import InvitationId
from messaging.models import InviteCode
from messaging.services.invite_codes import ShownInvitation
from messaging.services.invites import LONGEST, MOST_USES

_A_WEEK: Final = 7 * 24 * 3600


class InvitationIn(In):
    max_uses: int = Field(
        1, ge=1, le=MOST_USES, description="How many people may join by it."
    )
    expires_in: int = Field(
        _A_WEEK, ge=60, le=int(LONGEST.total_seconds()), description="Seconds."
    )

    @property
    def lifetime(self) -> timedelta:
        return timedelta(seconds=self.expires_in)


class InvitationOut(Out):
    """An invitation to a group, as its owners see it. The code is not kept."""

    id: InvitationId
    created_by: UserOut | None
    max_uses: int
    used: int
    created_at: datetime
    expires_at: datetime | None


class IssuedInvitationOut(InvitationOut):
    invite_code: str = Field(description="Shown this once. Whoever has it may join.")
    url: str = Field(description="The link for people, with the code, and as secret.")


class InvitationPage(Out):
    items: list[InvitationOut]
    next_cursor: str | None


class InvitedOut(Out):
    """What an invitation is to."""

    kind: Literal["server", "group"]
    title: str | None = Field(description="Of the group.")
    participant_count: int | None = Field(description="Of the group.")
    opens_account: bool = Field(
        description="Whether it lets people open an account, as `invite_code`."
    )


def invitation_out(invitation: InviteCode) -> InvitationOut:
    maker = invitation.created_by
    return InvitationOut(
        id=InvitationId(invitation.pk),
        created_by=None if maker is None else user_out(maker),
        max_uses=invitation.max_uses,
        used=invitation.used,
        created_at=invitation.created_at,
        expires_at=invitation.expires_at,
    )


def invited_out(shown: ShownInvitation) -> InvitedOut:
    return InvitedOut(
        kind="server" if shown.conversation_id is None else "group",
        title=shown.title,
        participant_count=shown.participant_count,
        opens_account=shown.opens_account,
    )
