"""Trees of 10,000 replies, in a constant number of queries."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import pytest
from django.db import connection
from django.db.models import Max, QuerySet
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message, Notification, User
from messaging.projections import MessageProjection
from messaging.services import thread_pages, threads
from messaging.services.conversations import start_group
from messaging.services.thread_unread import thread_unread
from tests.api_client import ApiClient, Json
from tests.conftest import ClientOf
from tests.contract.database_work import count_work
from tests.databases import analyze
from tests.proofs import membership_of, readable_by
from tests.rows import overwrite

SIZE: Final = 10_000
SHAPES: Final = ("chain", "star")

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


def _grow(group: Conversation, sender: User, *, parents: Iterable[int | None]) -> int:
    """A root, and replies each to the message of that number in the thread, from 1 on.

    Those to None answer nothing. Returns the root's id.

    Written in bulk, past the signals, which would take a minute.
    """
    root = Message.objects.create(
        # Beyond the ids given below.
        pk=(Message.objects.aggregate(last=Max("pk"))["last"] or 0) + 1,
        conversation=group,
        sender=sender,
        content="root",
    )
    rows = [
        Message(
            pk=root.pk + number - 1,
            conversation=group,
            sequence=root.sequence + number - 1,
            sender=sender,
            content=f"{number}",
            parent_message_id=parent and root.pk + parent - 1,
        )
        for number, parent in enumerate(parents, start=2)
    ]
    plain: QuerySet[Message] = QuerySet(Message)
    plain.bulk_create(rows, batch_size=1000)
    grown = Conversation.objects.filter(pk=group.pk)
    overwrite(grown, last_sequence=root.sequence + len(rows))
    # As it does a minute after so many rows were written.
    analyze(Message)
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


@pytest.mark.parametrize("parents", [range(1, SIZE + 1), [1] * SIZE], ids=SHAPES)
def test_a_page_costs_the_same_wherever_in_whatever_tree_it_is(
    group: Conversation, ann: User, parents: Sequence[int]
) -> None:
    """Counted in what the database does, not in time."""
    small = _work_of_page(_grow(group, ann, parents=parents[: SIZE // 10]), ann, page=5)
    other = start_group(owner=ann, title="Large", usernames=[]).conversation
    large = _grow(other, ann, parents=parents)
    for page in (1, 5, 100, 190):
        assert _work_of_page(large, ann, page=page) < 2 * small


def test_the_end_of_a_long_branch_costs_the_way_up_alone(
    group: Conversation, ann: User
) -> None:
    """Nothing that comes after a branch can be found without going up it."""
    parents = [*range(1, SIZE // 10 + 1)]
    narrow = _grow(group, ann, parents=parents)
    other = start_group(owner=ann, title="Wide", usernames=[]).conversation
    # As long, and ten times as many replies besides.
    wide = _grow(other, ann, parents=[*parents, *([1] * (9 * SIZE // 10))])
    pages = SIZE // 10 // 50
    # The last page of all there, which looks in vain for more; and the way up here.
    known = _work_of_page(narrow, ann, page=pages - 1)
    assert _work_of_page(wide, ann, page=pages) < 2 * known


def test_of_a_tree_no_more_is_read_than_is_counted(
    ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "MOST_COUNTED", 1000)
    roots = []
    for size in (3 * SIZE // 10, SIZE):
        other = start_group(owner=ann, title=f"{size}", usernames=[]).conversation
        roots.append(_grow(other, ann, parents=range(1, size + 1)))
    work = []
    for first in roots:
        root = readable_by(ann, Message.objects.get(pk=first))
        with count_work() as counted:
            tree = threads.thread(root=root, depth=20, nodes=10)
        assert tree.descendant_count == threads.MOST_COUNTED - 1
        work.append(counted.done)
    small, large = work
    assert large < 1.1 * small


@pytest.mark.parametrize("parents", [range(1, SIZE + 1), [1] * SIZE], ids=SHAPES)
def test_a_page_of_a_thread_costs_the_same_in_whatever_tree_it_is(
    ann: User, parents: Sequence[int]
) -> None:
    work = []
    for size in (SIZE // 10, SIZE):
        other = start_group(owner=ann, title=f"{size}", usernames=[]).conversation
        root = _grow(other, ann, parents=parents[:size])
        tree = readable_by(ann, Message.objects.get(pk=root))
        first = thread_pages.thread_page(root=tree, cursor=None, limit=50)
        with count_work() as counted:
            thread_pages.thread_page(root=tree, cursor=first.next_cursor, limit=50)
        work.append(counted.done)
    assert work[1] < 2 * work[0]


def test_what_is_unread_in_a_thread_costs_the_same_however_much_is_unread(
    group: Conversation, ann: User, bob: User
) -> None:
    work = []
    for size in (SIZE // 10, SIZE):
        other = start_group(owner=ann, title=f"{size}", usernames=["bob"]).conversation
        # Half of it is before the thread, half is after it, and one is in it.
        _grow(other, ann, parents=[None] * (size // 2))
        root = _grow(other, ann, parents=[1, *([None] * (size // 2))])
        _leave_unread(bob, other)
        tree = MessageProjection.from_rows(
            Message.objects.filter(pk=root).values_list(*MessageProjection.columns())
        )[0]
        membership = membership_of(bob, other)
        with count_work() as counted:
            unread = thread_unread(membership=membership, root=tree, page=())
        assert unread.count == 2
        work.append(counted.done)
    assert work[1] < 1.2 * work[0]


def _leave_unread(reader: User, group: Conversation) -> None:
    messages = Message.objects.filter(conversation=group).order_by("pk")
    messages = messages.exclude(notifications__user=reader)
    plain: QuerySet[Notification] = QuerySet(Notification)
    plain.bulk_create(
        (
            Notification(
                user=reader,
                message_id=pk,
                conversation=group,
                kind=Notification.Kind.MESSAGE,
                position=pk,
            )
            for pk in messages.values_list("pk", flat=True)
        ),
        batch_size=1000,
    )
    analyze(Notification)


def _work_of_page(root: int, reader: User, *, page: int) -> int:
    """What it costs to go on from this page of 50 to the next."""
    tree = readable_by(reader, Message.objects.get(pk=root))
    cursor: str | None = None
    for _ in range(page):
        cursor = threads.reply_page(root=tree, cursor=cursor, limit=50).next_cursor
        if cursor is None:
            break
    with count_work() as work:
        threads.reply_page(root=tree, cursor=cursor, limit=50)
    return work.done
