"""Types of values that clients send, and the bases of all schemas."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from messaging.ids import MAX_ID, ConversationId, MessageId, NotificationId, TokenId
from messaging.models.users import (
    PASSWORD_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    USERNAME_PATTERN,
)
from messaging.text import is_storable

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("NUL characters and lone surrogates cannot be kept.")
    return text


# Text that both databases can hold and be asked for.
Text = Annotated[str, AfterValidator(_storable)]

Username = Annotated[
    str,
    Field(
        max_length=USERNAME_MAX_LENGTH,
        pattern=rf"^{USERNAME_PATTERN}$",
        description="Looked up whatever its case.",
    ),
]
# At sign-in any text may be tried, and all of it fails alike.
Password = Annotated[Text, Field(min_length=1, max_length=PASSWORD_MAX_LENGTH)]

_Id = Field(ge=1, le=MAX_ID)
ConversationIdIn = Annotated[ConversationId, _Id]
MessageIdIn = Annotated[MessageId, _Id]
NotificationIdIn = Annotated[NotificationId, _Id]
TokenIdIn = Annotated[TokenId, _Id]
VersionIn = Annotated[int, Field(ge=1, le=2**31 - 1)]


class In(BaseModel):
    """A request body: exact types, nothing unknown."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)


class PageQuery(BaseModel):
    """How much of a list, and from where."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Text | None = Field(
        None, max_length=1000, description="`next_cursor` of the page before."
    )
