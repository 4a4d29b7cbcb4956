"""People, their accounts and tokens."""

from datetime import datetime, timedelta
from typing import Final, TypedDict

from pydantic import Field

from api.schemas.fields import In, Out, PageQuery, Password, Text, Username
from messaging.ids import TokenId, UserId
from messaging.models import AccessToken, User
from messaging.receipts import DeletionCounts
from messaging.services.tokens import IssuedToken
from messaging.shown import ShownPerson

_ONE_DAY: Final = 24 * 3600
_TEN_YEARS: Final = 10 * 365 * 24 * 3600


class UserOut(Out):
    """A person, as everyone sees them."""

    id: UserId
    username: str
    display_name: str


class UserFields(TypedDict):
    """A `UserOut`, as it is written."""

    id: UserId
    username: str
    display_name: str


class UserPage(Out):
    items: list[UserOut]
    next_cursor: str | None


class UserQuery(PageQuery):
    query: Text = Field(
        min_length=1, max_length=64, description="How the username begins."
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
    user: UserOut
    token: str = Field(description="Shown this once.")


class TokenIn(In):
    username: Text = Field(min_length=1, max_length=64)
    password: Password
    name: Text = Field("", max_length=100, description="To tell tokens apart by.")
    expires_in: int | None = Field(
        None, ge=1, le=_TEN_YEARS, description="Seconds; never unless given."
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
        description="What the service itself knows the person by; unique.",
    )


class ServiceUserOut(UserOut):
    """A person, as the service that brought them sees them."""

    external_id: str | None


class ServiceTokenIn(In):
    expires_in: int = Field(
        3600, ge=1, le=_ONE_DAY, description="Seconds, at most a day."
    )


class MePatch(In):
    display_name: Text = Field(description="1 to 100 characters.")


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
    """What deleting your account takes away."""

    direct_conversations: int = Field(description="Deleted on both sides.")
    direct_messages: int = Field(description="Sent and received in those.")
    group_messages: int = Field(description="Of yours, in groups.")
    tombstones: int = Field(
        description="Of those, the ones that leave an empty place above replies."
    )
    groups_left: int
    groups_handed_over: int = Field(
        description="Of those you own; to their longest member."
    )
    groups_deleted: int = Field(description="Of those you are the last in.")
    access_tokens: int


def deletion_out(counts: DeletionCounts) -> DeletionOut:
    return DeletionOut(
        direct_conversations=counts.direct_conversations,
        direct_messages=counts.direct_messages,
        group_messages=counts.group_messages,
        tombstones=counts.tombstones,
        groups_left=counts.groups_left,
        groups_handed_over=counts.groups_handed_over,
        groups_deleted=counts.groups_deleted,
        access_tokens=counts.access_tokens,
    )


def user_out(user: User) -> UserOut:
    return UserOut(**user_fields(user))


def user_fields(user: User | ShownPerson) -> UserFields:
    return {
        "id": UserId(user.pk),
        "username": user.username,
        "display_name": user.display_name,
    }


def service_user_out(user: User) -> ServiceUserOut:
    return ServiceUserOut(
        id=UserId(user.pk),
        username=user.username,
        display_name=user.display_name,
        external_id=user.external_id,
    )


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
