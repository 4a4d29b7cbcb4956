"""People, their accounts and tokens."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import ConfigDict, Field, Strict, model_validator

from api.schemas.fields import In, Out, PageQuery, Password, Text, TokenIdIn, Username
from messaging.deletion_counts import DeletionCounts
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, User
from messaging.models.users import SendKey, WhoMayAdd
from messaging.projections import UserProjection
from messaging.services.tokens import IssuedToken

_ONE_DAY: Final = 24 * 3600
_TEN_YEARS: Final = 10 * 365 * 24 * 3600


# Not strict: JSON has strings, where a strict enum takes only its members.
WhoMayAddIn = Annotated[WhoMayAdd, Strict(strict=False)]
SendKeyIn = Annotated[SendKey, Strict(strict=False)]


class UserOut(Out):
    """A person, as everyone sees them."""

    id: UserId
    username: str
    display_name: str


class ProfileOut(UserOut):
    """Your own account, with fields that only you see."""

    who_may_add: WhoMayAdd = Field(description="Who may add you to groups.")
    shows_presence: bool = Field(
        description="Whether others see when you are online and were last seen, and you"
        " see it of them."
    )
    send_key: SendKey = Field(
        description="Which key sends a message on the pages: `enter`, or `shift_enter`,"
        " where Enter breaks the line."
    )


class UserPage(Out):
    items: list[UserOut]
    next_cursor: str | None


class UserQuery(PageQuery):
    query: Text = Field(
        min_length=1,
        max_length=64,
        description="Any part of the username or the display name; of several words, "
        "each. Case, accents and composition make no difference.",
    )


class RegisterIn(In):
    username: Username
    password: Password
    display_name: Text | None = Field(
        None, description="1 to 100 characters; the username unless given."
    )
    invite_code: Text | None = Field(
        None,
        max_length=100,
        pattern=r"^[A-Za-z0-9_\-]+$",
        description="Where accounts are opened by invitation only.",
    )


class RegisteredOut(Out):
    user: ProfileOut
    token: str = Field(description="Shown this once.")


class TokenIn(In):
    username: Text = Field(min_length=1, max_length=64)
    password: Password
    name: Text = Field(
        "",
        max_length=100,
        description="To tell tokens apart by; kept in one form, like a display name.",
    )
    expires_in: int | None = Field(
        None, ge=1, le=_TEN_YEARS, description="Seconds; never unless given."
    )
    replaces: TokenIdIn | None = Field(
        None, description="One of your tokens, which ends when there is the new one."
    )

    @property
    def lifetime(self) -> timedelta | None:
        return None if self.expires_in is None else timedelta(seconds=self.expires_in)


class TokenOut(Out):
    id: TokenId
    name: str
    created_at: datetime
    last_used_at: datetime = Field(
        description="To the minute; at first, when it was made."
    )
    expires_at: datetime | None
    current: bool = Field(description="Whether this request came with it.")


class IssuedTokenOut(Out):
    id: TokenId
    name: str
    created_at: datetime
    expires_at: datetime | None
    token: str = Field(description="Shown this once.")


class TokenPage(Out):
    items: list[TokenOut]
    next_cursor: str | None


class ServiceUserIn(In):
    username: Username
    display_name: Text | None = Field(
        None, description="1 to 100 characters; the username unless given."
    )
    external_id: Text | None = Field(
        None,
        max_length=255,
        pattern=r"\S",
        description="What the service itself knows the person by; unique. "
        "At least one character can be seen.",
    )


class ServiceUserOut(UserOut):
    """A person, as the service that created them sees them."""

    external_id: str | None


class ServiceTokenIn(In):
    expires_in: int = Field(
        3600, ge=1, le=_ONE_DAY, description="Seconds, at most a day."
    )


class MePatch(In):
    """The fields to change; others stay as they are."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    display_name: Text | None = Field(
        None,
        description="1 to 100 characters, kept composed (NFC), without blanks and "
        "invisible characters that change nothing of what is seen.",
    )
    who_may_add: WhoMayAddIn | None = Field(
        None,
        description="Who may add you to groups: `everyone`, the `contacts` you have"
        " written to yourself, or `nobody`.",
    )
    shows_presence: bool | None = Field(
        None,
        description="Whether others see when you are online and were last seen, and you"
        " see it of them. With `false`, when you were last seen is forgotten.",
    )
    send_key: SendKeyIn | None = Field(
        None,
        description="Which key sends a message on the pages: `enter`, or `shift_enter`,"
        " where Enter breaks the line.",
    )

    @model_validator(mode="after")
    def _changes_something(self) -> "MePatch":
        if not self.model_fields_set:
            raise ValueError("Name what is to change.")
        return self


class PasswordIn(In):
    current_password: Password
    new_password: Password


class BlockOut(Out):
    user: UserOut
    created_at: datetime


class BlockPage(Out):
    items: list[BlockOut]
    next_cursor: str | None


class DeletionIn(In):
    password: Password


class DeletionOut(Out):
    """How much deleting your account deletes."""

    direct_conversations: int = Field(description="Deleted on both sides.")
    direct_messages: int = Field(description="Sent and received in those.")
    group_messages: int = Field(description="Of yours, in groups.")
    tombstones: int = Field(
        description="Of those, the ones that leave an empty place above replies."
    )
    groups_left: int
    groups_handed_over: int = Field(
        description="Of those you alone own; to their longest member."
    )
    groups_deleted: int = Field(description="Of those you are the last in.")
    access_tokens: int
    looks: int = Field(description="Looks of staff that you were told of.")
    invitations: int


def deletion_out(counts: DeletionCounts) -> DeletionOut:
    return DeletionOut.model_validate(counts, from_attributes=True)


def user_out(user: User | UserProjection) -> UserOut:
    return UserOut.model_validate(user, from_attributes=True)


def profile_out(user: User) -> ProfileOut:
    return ProfileOut.model_validate(user, from_attributes=True)


def service_user_out(user: User) -> ServiceUserOut:
    return ServiceUserOut.model_validate(user, from_attributes=True)


def token_out(token: AccessToken, *, current: TokenId | None) -> TokenOut:
    return TokenOut(
        id=TokenId(token.pk),
        name=token.name,
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        expires_at=token.expires_at,
        current=token.pk == current,
    )


def issued_token_out(issued: IssuedToken) -> IssuedTokenOut:
    return IssuedTokenOut(
        id=TokenId(issued.token.pk),
        name=issued.token.name,
        created_at=issued.token.created_at,
        expires_at=issued.token.expires_at,
        token=issued.secret,
    )
