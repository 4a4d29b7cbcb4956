"""Types of values that clients send, and the bases of all schemas."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from messaging.ids import (
    MAX_ID,
    ConversationId,
    InvitationId,
    LookId,
    MessageId,
    NotificationId,
    TokenId,
)
from messaging.models.users import (
    PASSWORD_MAX_LENGTH,
    USERNAME_MAX_LENGTH,
    USERNAME_PATTERN,
)
from messaging.text import is_storable

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200

# Negative numbers match: the bounds refuse them, with a clearer reason.
_NUMBER: Final = re.compile(r"-?[0-9]+")


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("NUL characters and lone surrogates cannot be kept.")
    return text


# Text that both databases can store and search for.
Text = Annotated[str, AfterValidator(_storable)]

Username = Annotated[
    str,
    Field(
        max_length=USERNAME_MAX_LENGTH,
        pattern=rf"^{USERNAME_PATTERN}$",
        description="Looked up whatever its case.",
    ),
]
# Wider than the rules for new passwords: at sign-in, every wrong password has to fail
# alike.
Password = Annotated[Text, Field(min_length=1, max_length=PASSWORD_MAX_LENGTH)]


def _in_plain_digits(value: object) -> object:
    """Refuse ` 5`, `1_0`, `+1` and `1.0` in paths and queries: pydantic takes them for numbers."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("Write a number in the digits 0 to 9 alone.")
    return value


PlainDigits: Final = BeforeValidator(_in_plain_digits)
Number = Annotated[int, PlainDigits]

# Listed before `PlainDigits`: otherwise the OpenAPI document would lack the bounds.
_Id = Field(ge=1, le=MAX_ID)
ConversationIdIn = Annotated[ConversationId, _Id, PlainDigits]
MessageIdIn = Annotated[MessageId, _Id, PlainDigits]
LookIdIn = Annotated[LookId, _Id, PlainDigits]
NotificationIdIn = Annotated[NotificationId, _Id, PlainDigits]
TokenIdIn = Annotated[TokenId, _Id, PlainDigits]
InvitationIdIn = Annotated[InvitationId, _Id, PlainDigits]
# What no code can be, too long or with signs that `Text` refuses, is a 422; any other text
# that is no code is answered like an unknown one.
InviteCodeIn = Annotated[Text, Field(max_length=100)]
SequenceIn = Annotated[int, Field(ge=0, le=MAX_ID), PlainDigits]
VersionIn = Annotated[int, Field(ge=1, le=2**31 - 1), PlainDigits]


class In(BaseModel):
    """The base of request bodies: exact types, and no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Out(BaseModel):
    """The base of response bodies."""

    model_config = ConfigDict(frozen=True)


class PageQuery(BaseModel):
    """How many items of a list to return, and where to start."""

    limit: Number = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Text | None = Field(
        None, max_length=1000, description="`next_cursor` of the page before."
    )
