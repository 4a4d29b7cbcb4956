"""Shapes of reply trees, without a database."""

import pytest

from messaging.ids import MessageId
from messaging.reply_trees import Tree, TreeNode


def _node(number: int, parent: int | None, depth: int) -> TreeNode:
    return TreeNode(
        MessageId(number),
        None if parent is None else MessageId(parent),
        number,
        depth,
    )


@pytest.fixture
def tree() -> Tree:
    """1 ─┬─ 2 ─┬─ 4 ── 6
          │     └─ 5
          └─ 3 ── 7
    """  # fmt: skip
    return Tree.from_nodes(
        [
            _node(1, None, 0),
            _node(2, 1, 1),
            _node(3, 1, 1),
            _node(4, 2, 2),
            _node(5, 2, 2),
            _node(6, 4, 3),
            _node(7, 3, 2),
        ]
    )


def test_levels_go_from_the_root_down(tree: Tree) -> None:
    assert [node.id for node in tree.by_levels()] == [1, 2, 3, 4, 5, 7, 6]


def test_all_below_a_message_are_counted(tree: Tree) -> None:
    assert tree.descendant_counts() == {1: 6, 2: 3, 3: 1, 4: 1, 5: 0, 6: 0, 7: 0}


def test_a_root_below_another_message_is_counted_alike() -> None:
    tree = Tree.from_nodes([_node(5, 1, 0), _node(6, 5, 1)])
    assert tree.descendant_counts() == {5: 1, 6: 0}


def test_no_chain_is_too_deep() -> None:
    deep = 10_000
    chain = [_node(n + 1, n or None, n) for n in range(deep)]
    tree = Tree.from_nodes(chain)
    assert tree.descendant_counts()[MessageId(1)] == deep - 1
    assert [node.depth for node in tree.by_levels()] == list(range(deep))
