"""A reply tree as a flat sequence of steps, so that the template needs no recursion."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from messaging.services.threads import ThreadNode


@dataclass(frozen=True, slots=True)
class ThreadStep:
    """Show a message, go down to its replies, or come up again."""

    kind: Literal["message", "replies", "end"]
    node: ThreadNode


def thread_steps(root: ThreadNode) -> Iterator[ThreadStep]:
    """The steps for the tree below a root, in reading order; without recursion, since it
    may be deep.
    """
    waiting = [ThreadStep("replies", root)] if root.replies else []
    while waiting:
        step = waiting.pop()
        yield step
        if step.kind == "replies":
            waiting.append(ThreadStep("end", step.node))
            waiting.extend(
                ThreadStep("message", node) for node in reversed(step.node.replies)
            )
        elif step.kind == "message" and step.node.replies:
            waiting.append(ThreadStep("replies", step.node))
