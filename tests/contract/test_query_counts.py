"""What every read costs, in queries: the same for three rows and for sixty."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from api.schemas.events import EVENT_STREAM
from api.schemas.export import NDJSON
from tests.contract.document import operations
from tests.contract.scene import grown_scene

SIZES: Final = (3, 60)

WHO: Final = "the token with its person"
MESSAGE: Final = "the message with its people, if its reader takes part"
PART: Final = "the reader's part, with the conversation"


@dataclass(frozen=True, slots=True)
class Read:
    """A request of a row: `{…}` names an id of the scene."""

    path: str
    queries: Sequence[str]


LOG: Final = "how far the log reaches"
CAUGHT_UP: Final = (
    "how far it reaches",
    "where in it something may concern the reader",
    "whether any of that was forgotten",
)

ROWS: Final[dict[str, list[Read]]] = {
    "auth_list_tokens": [Read("/auth/tokens?limit=200", [WHO, "the page of tokens"])],
    "me_get": [Read("/me", [WHO])],
    "me_preview_deletion": [
        Read(
            "/me/deletion",
            [
                WHO,
                "own messages in groups that survivors hang from",
                "direct conversations",
                "messages in them",
                "own messages in groups",
                "groups",
                "groups without anyone else",
                "groups owned",
                "tokens",
            ],
        )
    ],
    "me_export": [
        Read(
            "/me/export",
            [
                WHO,
                "the profile",
                "a page of blocks with their people",
                "no more blocks",
                "a page of parts with their conversations and people",
                "no more parts",
                "a page of sent messages with their people",
                "a page of what those said before",
                "no more of that",
                "no more sent messages",
                "no direct messages received",
                "whether the token is still valid",
            ],
        )
    ],
    "blocks_list": [
        Read("/blocks?limit=200", [WHO, "the page of blocks with their people"])
    ],
    "users_search": [
        Read("/users?query=person&limit=200", [WHO, "the page of people"])
    ],
    "conversations_list": [
        Read(
            "/conversations?limit=200",
            [
                WHO,
                "the page of parts with their conversations, people and counts",
                "the last messages with their people, all at once",
            ],
        )
    ],
    "conversations_get": [
        Read(
            "/conversations/{conversation}",
            [
                WHO,
                PART,
                "the same part with the people and counts of the list",
                "the last message with its people",
            ],
        )
    ],
    "participants_list": [
        Read(
            "/conversations/{conversation}/participants?limit=200",
            [WHO, PART, "the page of parts with their people"],
        )
    ],
    "messages_list": [
        Read(
            "/conversations/{conversation}/messages?limit=200",
            [WHO, "membership, version and epoch", "the page with its people"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200",
            [WHO, "membership, version and epoch: the page comes from the cache"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200&after_sequence=1",
            [WHO, "membership, version and epoch", "the page with its people"],
        ),
        Read(
            "/conversations/{conversation}/messages?limit=200&around={message}",
            [
                WHO,
                "membership, version and epoch",
                "the message in the middle",
                "the newer half",
                "the older half",
            ],
        ),
    ],
    "messages_get": [Read("/messages/{message}", [WHO, MESSAGE])],
    "threads_get": [
        Read(
            "/messages/{message}/thread",
            [WHO, MESSAGE, "the tree with its messages and their people"],
        ),
        Read(
            "/messages/{message}/thread?nodes=1",
            [
                WHO,
                MESSAGE,
                "as many as are asked for: the tree has more",
                "the shape of the tree",
                "the messages shown",
            ],
        ),
    ],
    "threads_list_replies": [
        Read(
            "/messages/{message}/replies?limit=200",
            [WHO, MESSAGE, "the shape of the tree", "the messages of the page"],
        )
    ],
    "messages_list_receipts": [
        Read(
            "/messages/{message}/receipts?limit=200",
            [WHO, MESSAGE, "the page of notifications with their people"],
        )
    ],
    "history_list": [
        # Its sender sees everything; others from their joining on.
        Read(
            "/messages/{own}/history?limit=200",
            [WHO, MESSAGE, "the page of versions with their editors"],
        ),
        Read(
            "/messages/{message}/history?limit=200",
            [
                WHO,
                MESSAGE,
                PART,
                "the last version replaced before the reader came",
                "the page of versions with their editors",
            ],
        ),
    ],
    "events_stream": [
        Read("/events", [WHO, LOG, *CAUGHT_UP]),
    ],
    "events_poll": [
        Read(
            "/events/poll?limit=200&after={beginning}",
            [
                WHO,
                LOG,
                *CAUGHT_UP[:2],
                "these events with whom they are about",
                CAUGHT_UP[2],
                "where the reader takes part, and since when",
                "the messages with their people",
                "the reader's notifications with their messages and people",
                "the conversations with their people and counts",
                "the last messages with their people, all at once",
            ],
        ),
    ],
    "inbox_list": [
        Read("/inbox?limit=200", [WHO, "the clock", "the page with its people"])
    ],
    "inbox_summary": [
        Read("/inbox/summary", [WHO, "the clock and the counts, of one moment"])
    ],
    "notifications_list": [
        Read(
            "/notifications?limit=200",
            [WHO, "the page of notifications with their messages and people"],
        )
    ],
}


def test_every_read_has_its_queries_explained() -> None:
    reads = {operation.id for operation in operations() if operation.method == "GET"}
    assert ROWS.keys() == reads


@pytest.mark.django_db
@pytest.mark.parametrize("size", SIZES)
def test_a_read_costs_what_is_explained_whatever_the_size(size: int) -> None:
    client, ids = grown_scene(size)
    for read in chain.from_iterable(ROWS.values()):
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(read.path.format_map(ids))
        assert answer.status == 200
        statements = [query["sql"] for query in captured.captured_queries]
        assert len(statements) == len(read.queries), "\n".join([read.path, *statements])
        if answer.headers["Content-Type"] == EVENT_STREAM:
            continue
        if answer.headers["Content-Type"] == NDJSON:
            assert len(answer.body.splitlines()) >= size
            continue
        # What was read did grow.
        assert "items" not in answer.json or len(answer.items) >= size
        assert answer.json.get("descendant_count", size) == size
