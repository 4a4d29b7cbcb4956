"""A minimal client of the event stream."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import orjson

from tests.api_client import Json, JsonValue


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """A frame: its type, its cursor if it has one, what it says."""

    type: str
    id: str | None
    data: Json

    @property
    def position(self) -> int:
        """Of the log, which clients know nothing of."""
        assert self.id is not None
        place: list[JsonValue] = orjson.loads(
            base64.urlsafe_b64decode(self.id + "=" * (-len(self.id) % 4))
        )
        assert isinstance(place[-1], int)
        return place[-1]


@contextmanager
def open_stream(
    client: httpx.Client, after: str | None = None, *, address: str = "/events"
) -> Iterator[Iterator[ReceivedEvent]]:
    """The frames of a stream, from a cursor on if there is one."""
    headers = {} if after is None else {"Last-Event-ID": after}
    with client.stream("GET", address, headers=headers) as response:
        if response.status_code != 200:
            response.read()
        response.raise_for_status()
        yield frames(response.iter_lines())


def frames(lines: Iterator[str]) -> Iterator[ReceivedEvent]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            received = ReceivedEvent(
                fields["event"], fields.get("id"), orjson.loads(fields["data"])
            )
            assert received.data["type"] == received.type
            yield received
            fields = {}
        else:
            fields = {}


def logged(received: Iterator[ReceivedEvent]) -> Iterator[ReceivedEvent]:
    """Without transient events, which are not in the log."""
    return (each for each in received if each.type not in {"typing", "presence"})


def until(received: Iterator[ReceivedEvent], *types: str) -> list[ReceivedEvent]:
    """All up to the first of these types, which is the last."""
    found = []
    for each in received:
        found.append(each)
        if each.type in types:
            return found
    raise AssertionError(f"the stream ended before {types}: {found}")
