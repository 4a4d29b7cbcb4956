"""A reply tree as steps that a template can follow without calling itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from messaging.services.threads import ThreadNode


@dataclass(frozen=True, slots=True)
class Step:
    """Show a message, or go down to its replies, or come up again from them."""

    kind: Literal["message", "replies", "end"]
    node: ThreadNode


def branches(root: ThreadNode) -> Iterator[Step]:
    """The tree below its root, in reading order; as deep as it may be."""
    waiting = [Step("replies", root)] if root.replies else []
    while waiting:
        step = waiting.pop()
        yield step
        if step.kind == "replies":
            waiting.append(Step("end", step.node))
            waiting.extend(
                Step("message", node) for node in reversed(step.node.replies)
            )
        elif step.kind == "message" and step.node.replies:
            waiting.append(Step("replies", step.node))
