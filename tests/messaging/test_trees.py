"""Shapes of reply trees, without a database."""

import pytest

from messaging.ids import MessageId
from messaging.trees import Tree, Twig, ancestors


def _twig(number: int, parent: int | None, depth: int) -> Twig:
    return Twig(
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
    return Tree.grow(
        [
            _twig(1, None, 0),
            _twig(2, 1, 1),
            _twig(3, 1, 1),
            _twig(4, 2, 2),
            _twig(5, 2, 2),
            _twig(6, 4, 3),
            _twig(7, 3, 2),
        ]
    )


def test_reading_order_is_a_message_then_its_replies(tree: Tree) -> None:
    assert [twig.id for twig in tree.reading_order()] == [2, 4, 6, 5, 3, 7]


def test_levels_go_from_the_root_down(tree: Tree) -> None:
    assert [twig.id for twig in tree.by_levels()] == [1, 2, 3, 4, 5, 7, 6]


def test_all_below_a_message_are_counted(tree: Tree) -> None:
    assert tree.descendant_counts() == {1: 6, 2: 3, 3: 1, 4: 1, 5: 0, 6: 0, 7: 0}


def test_a_root_below_another_message_is_counted_alike() -> None:
    tree = Tree.grow([_twig(5, 1, 0), _twig(6, 5, 1)])
    assert tree.descendant_counts() == {5: 1, 6: 0}


def test_ancestors_are_named_from_the_nearest_up(tree: Tree) -> None:
    order = list(tree.reading_order())
    assert [twig.id for twig in ancestors(order, 2)] == [4, 2]
    assert [twig.id for twig in ancestors(order, 3)] == [2]
    assert list(ancestors(order, 0)) == []


def test_no_chain_is_too_deep() -> None:
    deep = 10_000
    chain = [_twig(n + 1, n or None, n) for n in range(deep)]
    tree = Tree.grow(chain)
    assert tree.descendant_counts()[MessageId(1)] == deep - 1
    assert [twig.depth for twig in tree.reading_order()] == list(range(1, deep))
