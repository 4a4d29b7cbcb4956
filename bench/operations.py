"""The operations that are measured, and their requests."""

from dataclasses import dataclass
from typing import Final

from bench.dataset import LONG, Filled

_PAGE: Final = f"/api/v1/conversations/{LONG}/messages"


@dataclass(frozen=True, slots=True)
class Operation:
    """`{n}` in `path` and `body` stands for a number, another one for each request.

    A target is the least ratio of Parley's requests per second to the other server's.
    """

    name: str
    method: str
    path: str
    body: str = ""
    # Whether to send the response's ETag back, as `If-None-Match`.
    conditional: bool = False
    # The numbers for `{n}`: the first, how many there are, and the step between them.
    numbers: tuple[int, int, int] = (1, 1_000_000_000, 1)
    target_drf: float | None = None
    target_raw: float | None = None


def operations(filled: Filled) -> tuple[Operation, ...]:
    return (_SEND, *_pages(filled), *_LISTS, _edit(filled))


_SAID: Final = '{"content": "Message {n} ' + "words " * 30 + '"}'

_SEND: Final = Operation(
    "send a message", "POST", _PAGE, _SAID, target_drf=1, target_raw=0.2
)


def _pages(filled: Filled) -> tuple[Operation, ...]:
    return (
        Operation("newest 50, cache hit", "GET", _PAGE, target_drf=8, target_raw=0.35),
        Operation(
            "newest 50, not modified", "GET", _PAGE, conditional=True, target_drf=10
        ),
        Operation(
            "newest 50, cache miss",
            "GET",
            # Each request asks for another page of the same size, so that none is
            # cached.
            f"{_PAGE}?after_sequence={{n}}",
            numbers=(1, filled.messages - 50, 1),
            target_drf=3,
            target_raw=0.15,
        ),
        Operation(
            "thread of 200 replies, nested",
            "GET",
            f"/api/v1/messages/{filled.small_root}/thread",
            target_drf=25,
            target_raw=0.2,
        ),
    )


_LISTS: Final = (
    Operation(
        "inbox, 50 of 10,000 unread",
        "GET",
        "/api/v1/inbox",
        target_drf=4,
        target_raw=0.15,
    ),
    Operation(
        "unread count", "GET", "/api/v1/inbox/summary", target_drf=2, target_raw=0.12
    ),
    Operation(
        "conversation list, 50",
        "GET",
        "/api/v1/conversations",
        target_drf=3,
        target_raw=0.15,
    ),
)


def _edit(filled: Filled) -> Operation:
    return Operation(
        "edit a message",
        "PATCH",
        "/api/v1/messages/{n}",
        _SAID,
        # Those of the reader, who sent every other one.
        numbers=(2, filled.messages // 2, 2),
        target_drf=1,
        target_raw=0.2,
    )
