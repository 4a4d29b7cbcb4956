"""A thread as a flat sequence of steps, so that the template needs no recursion.

A run without a fork is a list. A branch is an item of it, with what follows in a list of
its own.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from chats.grouping import goes_on
from messaging.ids import MessageId
from messaging.projections import MessageProjection
from messaging.services.thread_pages import ThreadPage, ThreadReply
from messaging.services.thread_unread import ThreadUnread


@dataclass(slots=True)
class Branch:
    """What follows the first message of a branch, as far as the page shows it.

    `answered` is what the composer answers for those who look at it: its last message.
    """

    first: ThreadReply | None
    count: int = 0
    unread: int = 0
    is_cut: bool = False
    answered: MessageProjection | None = None

    @property
    def folds(self) -> bool:
        """A single reply is as short as what would fold it."""
        return self.count > 1 or self.is_cut or self.first is None


@dataclass(slots=True)
class ThreadRow:
    """`parent` is set if the row before is another message than the one it answers, and
    `is_timed` if it is of another minute.
    """

    message: ThreadReply
    continued: bool
    is_timed: bool
    is_new: bool
    parent: MessageProjection | None


StepKind = Literal["message", "branch", "inside", "end"]


@dataclass(frozen=True, slots=True)
class ThreadStep:
    """Show a message, or one with the branch that it begins; or end a branch.

    `inside` goes into a branch that began on an earlier page.
    """

    kind: StepKind
    row: ThreadRow | None = None
    branch: Branch | None = None


@dataclass(slots=True)
class ThreadLayout:
    """The steps of a page, and what the composer answers by the message one looks at."""

    steps: list[ThreadStep] = field(default_factory=list)
    # The talk that goes on from the root, without indentation.
    main: Branch = field(default_factory=lambda: Branch(None))
    branches: dict[MessageId, Branch] = field(default_factory=dict)

    def answered_at(self, message_id: MessageId | None) -> MessageProjection | None:
        """The last message of the branch of this one, or of the main talk.

        Where only tombstones are, as on a page that ends among them: another branch's.
        """
        every = [self.branches.get(message_id or MessageId(0), self.main), self.main]
        every += self.branches.values()
        return next((each.answered for each in every if each.answered), None)


def thread_layout(
    root: MessageProjection,
    page: ThreadPage,
    unread: ThreadUnread,
    parents: Mapping[MessageId, MessageProjection],
) -> ThreadLayout:
    """Lay out a page of a thread; `parents` are those of its messages."""
    layout = ThreadLayout()
    if not root.deleted:
        layout.main.answered = root
    open_branches = [(depth, Branch(None)) for depth in page.within]
    layout.steps += [ThreadStep("inside", None, each) for _, each in open_branches]
    rows = _rows(root, page, unread, parents)
    for row, deeper in zip(rows, _goes_deeper(page.items), strict=True):
        message = row.message
        while open_branches and open_branches[-1][0] >= message.depth:
            _, ended = open_branches.pop()
            layout.steps.append(ThreadStep("end", None, ended))
        for _, branch in open_branches:
            _count(branch, row, unread)
        own = Branch(message) if message.is_branch else None
        here = own or (open_branches[-1][1] if open_branches else layout.main)
        layout.branches[message.id] = here
        if not message.deleted:
            here.answered = message
        if own and deeper:
            open_branches.append((message.depth, own))
            own.unread = unread.below.get(message.id, 0)
        kind: StepKind = "branch" if own and deeper else "message"
        layout.steps.append(ThreadStep(kind, row, own))
    for _, branch in reversed(open_branches):
        branch.is_cut = page.next_cursor is not None
        layout.steps.append(ThreadStep("end", None, branch))
    return layout


def _count(branch: Branch, row: ThreadRow, unread: ThreadUnread) -> None:
    branch.count += 1
    branch.unread += row.is_new + unread.below.get(row.message.id, 0)


def _goes_deeper(replies: Sequence[ThreadReply]) -> Iterator[bool]:
    """Of each, whether the next one is below it."""
    following = [reply.depth for reply in replies[1:]] + [0]
    for reply, depth in zip(replies, following, strict=False):
        yield depth > reply.depth


def _rows(
    root: MessageProjection,
    page: ThreadPage,
    unread: ThreadUnread,
    parents: Mapping[MessageId, MessageProjection],
) -> Iterable[ThreadRow]:
    before: MessageProjection | None = root if page.begins else None
    for reply in page.items:
        follows = before is not None and before.id == reply.parent_message_id
        parent = parents.get(reply.parent_message_id or root.id)
        # What answers the root needs no word of it.
        told = None if follows or parent is None or parent.id == root.id else parent
        yield ThreadRow(
            reply,
            continued=follows and before is not None and _goes_on(before, reply),
            is_timed=before is None or _minute(before) != _minute(reply),
            is_new=reply.id in unread.on_page,
            parent=told,
        )
        before = reply


def _goes_on(before: MessageProjection, reply: ThreadReply) -> bool:
    """Where a branch begins, or folds, the name is said again."""
    is_run = isinstance(before, ThreadReply) and not before.is_branch
    return is_run and not reply.is_branch and goes_on(before, reply)


def _minute(message: MessageProjection) -> datetime:
    return message.timestamp.replace(second=0, microsecond=0)
