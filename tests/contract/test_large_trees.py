"""Trees of 10,000 replies, in a constant number of queries."""

from collections.abc import Iterable, Iterator
from typing import Final

from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, User
from tests.api_client import ApiClient, Json
from tests.conftest import ClientOf

SIZE: Final = 10_000

# Token, message, shape of the tree, messages shown.
QUERIES: Final = 4
# And before the shape, whether the tree is small enough to be read at once.
QUERIES_NESTED: Final = 5


def test_a_chain_of_10000_replies_is_read_page_by_page(
    group: Conversation, ann: User, client_of: ClientOf
) -> None:
    root = _grow(group, ann, parents=range(1, SIZE + 1))
    items = list(_walk(client_of(ann), root))
    assert [item["sequence"] for item in items] == list(range(2, SIZE + 2))
    assert [item["depth"] for item in items] == list(range(1, SIZE + 1))


def test_10000_direct_replies_are_read_page_by_page(
    group: Conversation, ann: User, client_of: ClientOf
) -> None:
    root = _grow(group, ann, parents=[1] * SIZE)
    items = list(_walk(client_of(ann), root))
    assert [item["sequence"] for item in items] == list(range(2, SIZE + 2))
    assert {item["depth"] for item in items} == {1}


def test_a_chain_of_10000_replies_is_nested_as_deep_as_asked(
    group: Conversation, ann: User, client_of: ClientOf
) -> None:
    root = _grow(group, ann, parents=range(1, SIZE + 1))
    for depth in (0, 20, 50):
        tree = _nested(client_of(ann), f"/messages/{root}/thread?depth={depth}")
        assert tree["descendant_count"] == SIZE
        *above, last = _branch(tree)
        assert [level["has_more_replies"] for level in above] == [False] * depth
        assert (last["depth"], last["has_more_replies"]) == (depth, True)
        assert last["descendant_count"] == SIZE - depth


def test_of_10000_direct_replies_as_many_are_nested_as_asked(
    group: Conversation, ann: User, client_of: ClientOf
) -> None:
    root = _grow(group, ann, parents=[1] * SIZE)
    for nodes in (1, 500, 2000):
        tree = _nested(client_of(ann), f"/messages/{root}/thread?nodes={nodes}")
        assert isinstance(tree["replies"], list)
        assert len(tree["replies"]) == nodes - 1
        assert tree["has_more_replies"] is True
        assert tree["descendant_count"] == SIZE


def _branch(tree: Json) -> Iterator[Json]:
    """A message, its first reply, that one's first reply …"""
    yield tree
    while isinstance(tree["replies"], list) and tree["replies"]:
        assert isinstance(tree["replies"][0], dict)
        tree = tree["replies"][0]
        yield tree


def _grow(group: Conversation, sender: User, *, parents: Iterable[int]) -> int:
    """A root, and replies each to the message of that sequence; answers the root's id.

    Written in bulk, past the signals, which would take a minute.
    """
    root = Message.objects.create(conversation=group, sender=sender, content="root")
    rows = [
        Message(
            pk=root.pk + sequence - 1,
            conversation=group,
            sequence=sequence,
            sender=sender,
            content=f"{sequence}",
            parent_message_id=root.pk + parent - 1,
        )
        for sequence, parent in enumerate(parents, start=2)
    ]
    plain: QuerySet[Message] = QuerySet(Message)
    plain.bulk_create(rows, batch_size=1000)
    # As PostgreSQL does by itself a minute after so many rows were written.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_message")
    return root.pk


def _walk(client: ApiClient, root: int) -> Iterator[Json]:
    path = f"/messages/{root}/replies?limit=200"
    after = ""
    while True:
        page = _read(client, f"{path}{after}")
        assert isinstance(page["items"], list)
        yield from (item for item in page["items"] if isinstance(item, dict))
        if page["next_cursor"] is None:
            return
        after = f"&cursor={page['next_cursor']}"


def _nested(client: ApiClient, path: str) -> Json:
    return _read(client, path, queries=QUERIES_NESTED)


def _read(client: ApiClient, path: str, *, queries: int = QUERIES) -> Json:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status == 200
    assert len(captured.captured_queries) == queries
    return answer.json
