"""What is measured, and the requests that measure it."""

from dataclasses import dataclass
from typing import Final

from bench.dataset import LONG, Filled

_PAGE: Final = f"/api/v1/conversations/{LONG}/messages"


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` and `body` may name `{n}`, another number for each request.

    The targets are the least that ours should do of what the others do.
    """

    name: str
    method: str
    path: str
    body: str = ""
    # Send the ETag of the answer along.
    conditional: bool = False
    # The first `n`, how many there are, and how far they are apart.
    numbers: tuple[int, int, int] = (1, 1_000_000_000, 1)
    target_drf: float | None = None
    target_raw: float | None = None


def operations(filled: Filled) -> tuple[Operation, ...]:
    said = '{"content": "Message {n} ' + "words " * 30 + '"}'
    return (
        Operation("send a message", "POST", _PAGE, said, target_drf=1, target_raw=0.2),
        Operation("newest 50, cache hit", "GET", _PAGE, target_drf=8, target_raw=0.35),
        Operation(
            "newest 50, not modified", "GET", _PAGE, conditional=True, target_drf=10
        ),
        Operation(
            "newest 50, cache miss",
            "GET",
            # Each request asks for another page of the same size.
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
        Operation(
            "inbox, 50 of 10,000 unread",
            "GET",
            "/api/v1/inbox",
            target_drf=4,
            target_raw=0.15,
        ),
        Operation(
            "unread count",
            "GET",
            "/api/v1/inbox/summary",
            target_drf=2,
            target_raw=0.12,
        ),
        Operation(
            "conversation list, 50",
            "GET",
            "/api/v1/conversations",
            target_drf=3,
            target_raw=0.15,
        ),
        Operation(
            "edit a message",
            "PATCH",
            "/api/v1/messages/{n}",
            said,
            # Those of the reader, who sent every other one.
            numbers=(2, filled.messages // 2, 2),
            target_drf=1,
            target_raw=0.2,
        ),
    )
