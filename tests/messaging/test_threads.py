"""Reply trees: nested and flat."""

from collections.abc import Sequence

import pytest

from messaging.cursors import encode_cursor
from messaging.errors import InvalidCursorError, MessageNotFoundError
from messaging.models import Message, User
from messaging.services.messages import delete_message
from messaging.services.threads import Reply, ThreadNode, reply_page, thread
from tests.conftest import RunBeforeQuery
from tests.proofs import own_of, readable_by

# A node's content, the depth and counts it has, and the nodes below it.
Shape = tuple[str, int, int, bool, list["Shape"]]


@pytest.fixture
def tree(ann: User, message: Message) -> dict[str, Message]:
    """hello ─┬─ a ─┬─ aa ── aaa
              │     └─ ab
              ├─ b
              └─ c ── ca

    Sent level by level, all by ann.
    """  # fmt: skip
    sent = {"": message}
    for name in ("a", "b", "c", "aa", "ca", "ab", "aaa"):
        sent[name] = Message.objects.create(
            sender=ann, parent_message=sent[name[:-1]], content=name
        )
    return sent


@pytest.fixture
def chain(ann: User, message: Message) -> list[Message]:
    """20 replies, each to the one before, and then 3 to the root."""
    links = [message]
    for number in range(20):
        links.append(
            Message.objects.create(
                sender=ann, parent_message=links[-1], content=str(number)
            )
        )
    return links + [
        Message.objects.create(sender=ann, parent_message=message, content=name)
        for name in ("x", "y", "z")
    ]


def _shape(node: ThreadNode) -> Shape:
    return (
        node.content,
        node.depth,
        node.descendant_count,
        node.has_more_replies,
        [_shape(reply) for reply in node.replies],
    )


def _thread(root: Message, reader: User, depth: int = 20, nodes: int = 500) -> Shape:
    return _shape(thread(root=readable_by(reader, root), depth=depth, nodes=nodes))


def _contents(items: Sequence[Reply]) -> list[str]:
    return [reply.content for reply in items]


def _walk(root: Message, reader: User, limit: int) -> list[str]:
    found: list[str] = []
    cursor = None
    while True:
        page = reply_page(root=readable_by(reader, root), cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        found += _contents(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


def _delete(*messages: Message) -> None:
    for message in messages:
        stored = Message.objects.get(pk=message.pk)
        assert stored.sender is not None
        delete_message(message=own_of(stored.sender, stored))


def test_a_thread_is_a_message_with_all_below_it(
    bob: User, tree: dict[str, Message]
) -> None:
    a: Shape = ("a", 1, 3, False, [
        ("aa", 2, 1, False, [("aaa", 3, 0, False, [])]),
        ("ab", 2, 0, False, []),
    ])  # fmt: skip
    b: Shape = ("b", 1, 0, False, [])
    c: Shape = ("c", 1, 1, False, [("ca", 2, 0, False, [])])
    assert _thread(tree[""], bob) == ("hello", 0, 7, False, [a, b, c])


def test_a_thread_may_begin_anywhere(bob: User, tree: dict[str, Message]) -> None:
    assert _thread(tree["aa"], bob) == (
        "aa", 0, 1, False, [("aaa", 1, 0, False, [])],
    )  # fmt: skip


def test_a_message_without_replies_is_a_thread(bob: User, message: Message) -> None:
    assert _thread(message, bob) == ("hello", 0, 0, False, [])


def test_levels_too_deep_are_cut_and_still_counted(
    bob: User, tree: dict[str, Message]
) -> None:
    assert _thread(tree[""], bob, depth=1) == ("hello", 0, 7, False, [
        ("a", 1, 3, True, []),
        ("b", 1, 0, False, []),
        ("c", 1, 1, True, []),
    ])  # fmt: skip
    assert _thread(tree[""], bob, depth=0) == ("hello", 0, 7, True, [])


def test_a_thread_fills_level_by_level(bob: User, tree: dict[str, Message]) -> None:
    assert _thread(tree[""], bob, nodes=5) == ("hello", 0, 7, False, [
        ("a", 1, 3, True, [("aa", 2, 1, True, [])]),
        ("b", 1, 0, False, []),
        ("c", 1, 1, True, []),
    ])  # fmt: skip
    assert _thread(tree[""], bob, nodes=1) == ("hello", 0, 7, True, [])


def test_a_tombstone_keeps_its_place_in_a_thread(
    bob: User, tree: dict[str, Message]
) -> None:
    _delete(tree["c"])
    assert _thread(tree[""], bob)[4][2] == (
        "", 1, 1, False, [("ca", 2, 0, False, [])],
    )  # fmt: skip


def test_a_thread_of_a_concurrently_deleted_message_is_missing(
    bob: User, message: Message
) -> None:
    root = readable_by(bob, message)
    _delete(message)
    with pytest.raises(MessageNotFoundError):
        thread(root=root, depth=5, nodes=5)
    with pytest.raises(MessageNotFoundError):
        reply_page(root=root, cursor=None, limit=5)


def test_a_reply_deleted_while_a_thread_is_read_is_left_out(
    bob: User, tree: dict[str, Message], run_before_query: RunBeforeQuery
) -> None:
    root = readable_by(bob, tree[""])
    with run_before_query(lambda: _delete(tree["b"]), before="FROM json_"):
        node = thread(root=root, depth=1, nodes=4)
    assert [reply.content for reply in node.replies] == ["a", "c"]
    assert node.has_more_replies


def test_a_reply_deleted_while_a_page_is_read_is_left_out(
    bob: User, tree: dict[str, Message], run_before_query: RunBeforeQuery
) -> None:
    root = readable_by(bob, tree[""])
    with run_before_query(lambda: _delete(tree["ab"]), before="LEFT OUTER JOIN"):
        page = reply_page(root=root, cursor=None, limit=500)
    assert _contents(page.items) == ["a", "aa", "aaa", "b", "c", "ca"]


def test_the_flat_tree_is_in_reading_order(bob: User, tree: dict[str, Message]) -> None:
    page = reply_page(root=readable_by(bob, tree[""]), cursor=None, limit=50)
    assert [(reply.content, reply.depth) for reply in page.items] == [
        ("a", 1), ("aa", 2), ("aaa", 3), ("ab", 2), ("b", 1), ("c", 1), ("ca", 2),
    ]  # fmt: skip
    assert page.next_cursor is None


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_the_flat_tree_is_whole_page_by_page(
    bob: User, tree: dict[str, Message], limit: int
) -> None:
    assert _walk(tree[""], bob, limit) == ["a", "aa", "aaa", "ab", "b", "c", "ca"]
    assert _walk(tree["a"], bob, limit) == ["aa", "aaa", "ab"]
    assert _walk(tree["b"], bob, limit) == []


@pytest.mark.parametrize(
    ("read", "deleted", "rest"),
    [
        (1, ["a"], ["aa", "aaa", "ab", "b", "c", "ca"]),
        (3, ["aaa"], ["ab", "b", "c", "ca"]),
        (3, ["aaa", "aa"], ["ab", "b", "c", "ca"]),
        (3, ["aa", "aaa"], ["ab", "b", "c", "ca"]),
        (3, ["aaa", "aa", "ab", "a"], ["b", "c", "ca"]),
        (4, ["ab"], ["b", "c", "ca"]),
        (5, ["b"], ["c", "ca"]),
        (5, ["b", "ca", "c"], []),
        (6, ["ca", "c"], []),
    ],
)
def test_a_cursor_outlives_its_item_and_those_above(
    bob: User, tree: dict[str, Message], read: int, deleted: list[str], rest: list[str]
) -> None:
    root = readable_by(bob, tree[""])
    cursor = reply_page(root=root, cursor=None, limit=read).next_cursor
    _delete(*(tree[name] for name in deleted))
    page = reply_page(root=root, cursor=cursor, limit=50)
    # A tombstone has no content.
    assert [text for text in _contents(page.items) if text] == rest


def test_new_replies_appear_at_their_place_in_the_tree(
    ann: User, bob: User, tree: dict[str, Message]
) -> None:
    root = readable_by(bob, tree[""])
    cursor = reply_page(root=root, cursor=None, limit=3).next_cursor
    Message.objects.create(sender=ann, parent_message=tree["a"], content="new")
    Message.objects.create(sender=ann, parent_message=tree["aa"], content="newer")
    page = reply_page(root=root, cursor=cursor, limit=3)
    assert _contents(page.items) == ["newer", "ab", "new"]


def test_what_came_below_a_deleted_branch_is_read(
    ann: User, bob: User, tree: dict[str, Message]
) -> None:
    root = readable_by(bob, tree[""])
    cursor = reply_page(root=root, cursor=None, limit=3).next_cursor
    new = Message.objects.create(sender=ann, parent_message=tree["a"], content="new")
    _delete(tree["aaa"], tree["aa"])
    page = reply_page(root=root, cursor=cursor, limit=2)
    assert _contents(page.items) == ["ab", "new"]
    assert page.items[1].pk == new.pk


@pytest.mark.parametrize("lost", [1, 15])
def test_a_cursor_outlives_all_but_the_last_ancestor_it_names(
    bob: User, chain: list[Message], lost: int
) -> None:
    root = readable_by(bob, chain[0])
    cursor = reply_page(root=root, cursor=None, limit=20).next_cursor
    _delete(*reversed(chain[21 - 1 - lost : 21]))
    page = reply_page(root=root, cursor=cursor, limit=50)
    assert _contents(page.items) == ["x", "y", "z"]


def test_a_cursor_does_not_outlive_all_16_ancestors_it_names(
    bob: User, chain: list[Message]
) -> None:
    root = readable_by(bob, chain[0])
    cursor = reply_page(root=root, cursor=None, limit=20).next_cursor
    _delete(*reversed(chain[20 - 16 : 21]))
    with pytest.raises(InvalidCursorError, match="begin again"):
        reply_page(root=root, cursor=cursor, limit=50)


def test_a_cursor_that_names_all_up_to_the_root_outlives_them_all(
    bob: User, chain: list[Message]
) -> None:
    root = readable_by(bob, chain[0])
    cursor = reply_page(root=root, cursor=None, limit=10).next_cursor
    _delete(*reversed(chain[1:21]))
    page = reply_page(root=root, cursor=cursor, limit=50)
    assert _contents(page.items) == ["x", "y", "z"]


@pytest.mark.parametrize(
    "place", [(), (1,), (0, 5), (1, 5, 6), (40, *range(1, 19)), (2**62,)]
)
def test_an_invalid_cursor_of_a_tree_is_refused(
    bob: User, tree: dict[str, Message], place: tuple[int, ...]
) -> None:
    cursor = encode_cursor("replies", *place)
    with pytest.raises(InvalidCursorError):
        reply_page(root=readable_by(bob, tree[""]), cursor=cursor, limit=5)
