"""The base classes of models and requests."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int | None]

IDEMPOTENCY_KEY: Final = "Idempotency-Key"

T_co = TypeVar("T_co", covariant=True)
Answer_contra = TypeVar("Answer_contra", contravariant=True)


class Model(BaseModel):
    """The base of request and response bodies; fields that a newer server adds are ignored."""

    # Validation errors must not quote a value: it may be a secret.
    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, validate_by_name=True
    )


class Page(Model, Generic[T_co]):
    """One page of a list."""

    items: list[T_co]
    next_cursor: str | None
    """Where the next page begins; null on the last."""


@dataclass(frozen=True, slots=True)
class Request(Generic[Answer_contra]):
    """A request to an operation; `Answer` is the type its response is parsed as.

    `Answer` is contravariant: a response that has the data of a message can be parsed
    as any subclass of that data.
    """

    operation: str
    method: Method
    path: str
    query: Query = field(default_factory=dict)
    body: Model | None = field(default=None, repr=False)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    repeatable: bool = True
    """Whether it may be sent again when nobody knows what became of it."""

    @property
    def is_keyed(self) -> bool:
        """Whether the request takes an Idempotency-Key, which makes the server execute it once."""
        return IDEMPOTENCY_KEY in self.headers

    @property
    def is_safe_to_repeat(self) -> bool:
        plain = self.method in {"GET", "PUT", "DELETE"}
        return self.repeatable and (plain or self.is_keyed)

    def once(self) -> Self:
        """A copy that is not repeated when an attempt may have succeeded."""
        return replace(self, repeatable=False)

    def at(self, cursor: str | None) -> Self:
        """A copy for the page at a cursor, without other parameters that choose a start."""
        if cursor is None:
            return self
        starts = {"after_sequence": None, "around": None}
        return replace(self, query={**self.query, **starts, "cursor": cursor})


class Stream(Request[Answer_contra]):
    """A request that is answered by a sequence of objects."""


def quoted(part: str | int) -> str:
    return quote(str(part), safe="")
