"""Checks that the server has exactly the writes that it acknowledged."""

import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from itertools import pairwise

import httpx
from django.conf import settings

from tests.api_client import Json
from tests.prove.load import Load


def check_account(load: Load) -> None:
    """Every acknowledged write is there, once, and every count equals a recount."""
    expected = {
        message: content
        for writer in load.everyone
        for message, content in writer.messages.items()
        if content is not None
    }
    found: dict[int, str] = {}
    numbered: dict[int, int] = {}
    for writer in load.everyone:
        client = load.server.client(0, writer.person)
        last_sequences = dict(_conversations(client))
        visible: dict[int, str] = {}
        read = set(writer.read)
        for conversation, last_sequence in last_sequences.items():
            surviving = _surviving(client, conversation, last_sequence)
            visible |= {message: content for _, message, content in surviving}
            if conversation == writer.group:
                read |= {
                    message
                    for sequence, message, _ in surviving
                    if sequence <= writer.read_up_to
                }
        _check_inbox(client, visible.keys() - read - writer.messages.keys())
        found |= visible
        numbered |= last_sequences
    assert found == expected
    # Numbers are given to what commits: as many as were acknowledged, deleted or not.
    assert sum(numbered.values()) == sum(writer.sent for writer in load.everyone)


def check_database(load: Load) -> None:
    """`check_consistency` finds nothing."""
    subprocess.run(
        [sys.executable, "manage.py", "check_consistency"],
        env={**os.environ, **load.server.environment},
        cwd=settings.BASE_DIR,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _conversations(client: httpx.Client) -> Iterator[tuple[int, int]]:
    """Ids, each with the last sequence."""
    for item in walk(client, "/conversations"):
        yield _number(item, "id"), _number(item, "last_sequence")


def _surviving(
    client: httpx.Client, conversation: int, last_sequence: int
) -> list[tuple[int, int, str]]:
    """Sequence, id and content of each."""
    path = f"/conversations/{conversation}/messages"
    items = list(walk(client, path, after_sequence=0))
    sequences = [_number(item, "sequence") for item in items]
    assert all(one < next_one for one, next_one in pairwise(sequences))
    assert not sequences or sequences[-1] <= last_sequence
    return [
        (_number(item, "sequence"), _number(item, "id"), str(item["content"]))
        for item in items
        if not item["deleted"]
    ]


def _check_inbox(client: httpx.Client, expected: Collection[int]) -> None:
    """Unread is what the others sent to them, less what they read."""
    unread = [_number(item, "id") for item in walk(client, "/inbox")]
    summary = client.get("/inbox/summary").raise_for_status().json()
    assert summary["unread_count"] == len(unread)
    assert sorted(unread) == sorted(expected)


def walk(client: httpx.Client, path: str, **first: int) -> Iterator[Json]:
    parameters: dict[str, int | str] = {**first}
    while True:
        answer = client.get(path, params={"limit": 200, **parameters})
        page = answer.raise_for_status().json()
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        parameters = {"cursor": page["next_cursor"]}


def _number(item: Json, key: str) -> int:
    value = item[key]
    assert isinstance(value, int)
    return value
