"""Shapes of reply trees: assembled iteratively, so that no depth is too deep."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from messaging.ids import MessageId


class Twig(NamedTuple):
    """A message of a tree, reduced to its place in it. The root has depth 0."""

    id: MessageId
    parent_id: MessageId | None
    sequence: int
    depth: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A root and all its descendants."""

    # In the order of their sequences: parents before replies, the root first.
    twigs: Sequence[Twig]
    # Each with its direct replies, oldest first.
    children: dict[MessageId, list[Twig]]

    @classmethod
    def grow(cls, twigs: Sequence[Twig]) -> "Tree":
        """From the twigs in the order of their sequences."""
        root = twigs[0]
        children: dict[MessageId, list[Twig]] = {twig.id: [] for twig in twigs}
        for twig in islice(twigs, 1, None):
            children[twig.parent_id or root.id].append(twig)
        return cls(twigs, children)

    @property
    def root(self) -> Twig:
        return self.twigs[0]

    def reading_order(self) -> Iterator[Twig]:
        """Each message, then its replies; without the root."""
        waiting = self.children[self.root.id][::-1]
        while waiting:
            twig = waiting.pop()
            yield twig
            waiting.extend(reversed(self.children[twig.id]))

    def by_levels(self) -> Iterator[Twig]:
        """The root, then all replies to it, then all replies to those …"""
        waiting = deque([self.root])
        while waiting:
            twig = waiting.popleft()
            yield twig
            waiting.extend(self.children[twig.id])

    def descendant_counts(self) -> dict[MessageId, int]:
        counts = dict.fromkeys(self.children, 0)
        for twig in reversed(self.twigs):
            if twig.parent_id in counts:
                counts[twig.parent_id] += counts[twig.id] + 1
        return counts

    def top(self, *, depth: int, nodes: int) -> Iterator[Twig]:
        """The twigs down to a depth, of those so many, level by level."""
        shallow = (twig for twig in self.by_levels() if twig.depth <= depth)
        return islice(shallow, nodes)


def ancestors(order: Sequence[Twig], index: int) -> Iterator[Twig]:
    """Those above an item of a reading order, the nearest first, without the root."""
    depth = order[index].depth
    for twig in reversed(order[:index]):
        if twig.depth < depth:
            depth = twig.depth
            yield twig
