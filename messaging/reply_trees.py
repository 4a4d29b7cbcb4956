"""The structure of a reply tree, built without recursion: it may be deeper than Python's stack."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from messaging.ids import MessageId

# Ancestors that are looked up at once, level by level. Above them nothing is known, and
# the topmost that was found counts as the root.
MOST_ANCESTORS: Final = 5000


class TreeNode(NamedTuple):
    """A message's position in its reply tree. The root has depth 0."""

    id: MessageId
    parent_id: MessageId | None
    sequence: int
    depth: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A message and all its descendants."""

    # By ascending sequence: the root first, and parents before replies.
    nodes: Sequence[TreeNode]
    # By message: its direct replies, oldest first.
    children: dict[MessageId, list[TreeNode]]

    @classmethod
    def from_nodes(cls, nodes: Sequence[TreeNode]) -> "Tree":
        """Make a tree of nodes, which must be in the order of their sequences."""
        root = nodes[0]
        children: dict[MessageId, list[TreeNode]] = {node.id: [] for node in nodes}
        for node in islice(nodes, 1, None):
            # Only the root has no parent; this is for mypy.
            children[node.parent_id or root.id].append(node)
        return cls(nodes, children)

    @property
    def root(self) -> TreeNode:
        return self.nodes[0]

    def by_levels(self) -> Iterator[TreeNode]:
        """The nodes level by level (breadth first)."""
        waiting = deque([self.root])
        while waiting:
            node = waiting.popleft()
            yield node
            waiting.extend(self.children[node.id])

    def descendant_counts(self) -> dict[MessageId, int]:
        counts = dict.fromkeys(self.children, 0)
        # Replies before their parents, so that each count is complete when it is added.
        for node in reversed(self.nodes):
            if node.parent_id in counts:
                counts[node.parent_id] += counts[node.id] + 1
        return counts

    def top(self, *, depth: int, nodes: int) -> Iterator[TreeNode]:
        """The first `nodes` nodes of a depth of at most `depth`, level by level."""
        shallow = (node for node in self.by_levels() if node.depth <= depth)
        return islice(shallow, nodes)
