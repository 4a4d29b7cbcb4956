"""What models and requests have in common."""

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
    """What the server tells or is told. What a newer one adds is passed over."""

    # A value that is not valid may be a secret.
    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, validate_by_name=True
    )


class Page(Model, Generic[T_co]):
    """A part of a list."""

    items: list[T_co]
    next_cursor: str | None
    """Where the next page begins; null on the last."""


@dataclass(frozen=True, slots=True)
class Request(Generic[Answer_contra]):
    """A call of an operation, answered by what can be read as `Answer`.

    Contravariant: what is answered with a message's data can be read as any class
    that extends it.
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
        """Whether an idempotency key makes it happen once, however often it is sent."""
        return IDEMPOTENCY_KEY in self.headers

    @property
    def is_safe_to_repeat(self) -> bool:
        plain = self.method in {"GET", "PUT", "DELETE"}
        return self.repeatable and (plain or self.is_keyed)

    def once(self) -> Self:
        """The same, never repeated where it might have been done already."""
        return replace(self, repeatable=False)

    def at(self, cursor: str | None) -> Self:
        """The page that begins there; a cursor replaces every other place to start."""
        if cursor is None:
            return self
        starts = {"after_sequence": None, "around": None}
        return replace(self, query={**self.query, **starts, "cursor": cursor})


class Stream(Request[Answer_contra]):
    """Answered by many, one after the other."""


def quoted(part: str | int) -> str:
    return quote(str(part), safe="")
