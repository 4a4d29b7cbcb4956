"""The versions of a message, with word diffs, and restoring a version."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from django.db.models import F, Max, QuerySet
from django_stubs_ext import WithAnnotations
from rapidfuzz.distance import LCSseq, Opcodes

from messaging.access import OwnMessage, ReadableMessage, membership
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import VersionNotFoundError
from messaging.ids import ConversationId, UserId
from messaging.models import Message, MessageHistory
from messaging.pagination import Page
from messaging.projections import UserProjection
from messaging.services.messages import edit_message

_WORDS: Final = re.compile(r"\s+|\S+")
# A diff with more parts is not readable, and each part costs time and bytes.
_MOST_STEPS: Final = 1000
# Limits on all diffs of one response: on parts, and on word pairs compared (13 million
# take a millisecond). Splitting a text takes as long per word as `_WORD_WORK` pairs.
_MOST_PARTS: Final = 2000
_MOST_WORK: Final = 300_000_000
_WORD_WORK: Final = 1000


class DiffOperation(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


class _Now(TypedDict):
    newest: int
    current_content: str


@dataclass(frozen=True, slots=True)
class DiffPart:
    """Some words. The parts that are not removed make up the newer content."""

    change: DiffOperation
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a message's content; the original has no editor.

    `diff` compares it with the version before. It is None if there is none, or if the
    reader may not see that one.
    """

    version: int
    content: str
    edited_at: datetime | None
    edited_by: UserProjection | None
    diff: Sequence[DiffPart] | None


def version_page(
    *, message: ReadableMessage, reader: UserId, cursor: str | None, limit: int
) -> Page[Version]:
    """The versions of a message, oldest first, the present content last.

    A reader who joined after a version was replaced does not see it, unless they sent
    the message. A tombstone has no versions. The cost of comparing is bounded: beyond
    the limit, a diff is one replacement of the whole content.
    """
    if message.deleted:
        return Page([], None)
    visible_from = _first_visible(message, reader=reader)
    start = 1 if cursor is None else decode_number("versions", cursor)
    first = max(start, visible_from)
    kept = _kept(message, first=first, last=first + limit - 1)
    newest = kept[0].newest if kept else 1
    content = {row.version: row.old_content for row in kept}
    content[newest] = kept[0].current_content if kept else message.content
    # A history row has the content that an edit replaced, so that edit made the next
    # version.
    edits = {row.version + 1: row for row in kept}
    diffs = _Diffs()
    versions = [
        _version(
            number,
            content[number],
            edit=edits.get(number),
            diff=(
                diffs.diff(content[number - 1], content[number])
                # The reader may not see the version before the first visible one.
                if number > visible_from
                else None
            ),
        )
        for number in range(first, min(first + limit, newest + 1))
    ]
    more = first + limit <= newest
    return Page(versions, encode_cursor("versions", first + limit) if more else None)


def _version(
    number: int,
    content: str,
    *,
    edit: MessageHistory | None,
    diff: Sequence[DiffPart] | None,
) -> Version:
    return Version(
        version=number,
        content=content,
        edited_at=edit.edited_at if edit else None,
        edited_by=UserProjection.from_instance(edit.edited_by) if edit else None,
        diff=diff,
    )


def word_diff(old: str, new: str) -> list[DiffPart]:
    """The difference between two contents, in reading order.

    It compares words and the blanks between them, never parts of a word. Contents that
    have little in common differ by one replacement.
    """
    return _Diffs().diff(old, new)


class _Diffs:
    """Makes the diffs of one response, within the limits.

    Beyond the limits, each diff is one replacement of the whole content.
    """

    def __init__(self) -> None:
        self._work = _MOST_WORK
        self._parts = _MOST_PARTS
        self._words: tuple[str, list[str]] = ("", [])

    def diff(self, old: str, new: str) -> list[DiffPart]:
        if self._work <= 0 or self._parts <= 0:
            return _replacement(old, new)
        before, after = self._words_of(old), self._words_of(new)
        # The cost is quadratic in the words between the common start and the common
        # end.
        start, end = _common_ends(before, after)
        changed = before[start : len(before) - end], after[start : len(after) - end]
        self._work -= len(changed[0]) * len(changed[1])
        if self._work <= 0:
            return _replacement(old, new)
        steps = LCSseq.opcodes(before, after)
        if len(steps) > min(_MOST_STEPS, self._parts):
            return _replacement(old, new)
        parts = _parts(before, after, steps)
        self._parts -= len(parts)
        return parts

    def _words_of(self, content: str) -> list[str]:
        """Split a content into words. The last result is kept: the next diff begins with
        that content.
        """
        known, words = self._words
        if known != content:
            words = _WORDS.findall(content)
            self._words = content, words
            self._work -= _WORD_WORK * len(words)
        return words


def _parts(
    before: Sequence[str], after: Sequence[str], steps: Opcodes
) -> list[DiffPart]:
    parts: list[DiffPart] = []
    removed = added = ""
    for step in steps:
        old = "".join(before[step.src_start : step.src_end])
        new = "".join(after[step.dest_start : step.dest_end])
        if step.tag != "equal":
            removed += old
            added += new
            continue
        parts += _replacement(removed, added)
        parts.append(DiffPart(DiffOperation.SAME, new))
        removed = added = ""
    return [*parts, *_replacement(removed, added)]


def _common_ends(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """The number of equal words at the start of both, and of further equal words at the end."""
    shorter = min(len(before), len(after))
    start = _longest(shorter, lambda number: before[:number] == after[:number])
    end = _longest(
        shorter - start,
        lambda number: before[len(before) - number :] == after[len(after) - number :],
    )
    return start, end


def _longest(most: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `most` for which `holds` is true; it must be true for all
    smaller.
    """
    return bisect_left(range(1, most + 1), 1, key=lambda number: not holds(number))


def restore_version(*, message: OwnMessage, version: int) -> Message:
    """Restore an older content, as a new edit.

    Raises:
        VersionNotFoundError: there is no such version.
    """
    # The current version is the content already: no edit.
    if version == message.content_version:
        return message
    kept = message.history.filter(version=version).first()
    if kept is None:
        raise VersionNotFoundError("The message has no such version.")
    return edit_message(message=message, content=kept.old_content)


def _replacement(removed: str, added: str) -> list[DiffPart]:
    """The removed part, then the added one, if they are not empty."""
    parts = (
        DiffPart(DiffOperation.REMOVED, removed),
        DiffPart(DiffOperation.ADDED, added),
    )
    return [part for part in parts if part.text]


def _first_visible(message: ReadableMessage, *, reader: UserId) -> int:
    if message.sender_id == reader:
        return 1
    participant = membership(
        reader=reader, conversation_id=ConversationId(message.conversation_id)
    )
    replaced = message.history.filter(position__lt=participant.joined_position)
    return (replaced.aggregate(newest=Max("version"))["newest"] or 0) + 1


def _kept(
    message: Message, *, first: int, last: int
) -> "list[WithAnnotations[MessageHistory, _Now]]":
    """The stored versions of a page and the version before it, each with the present content.

    One query, so that a concurrent edit cannot make them inconsistent.
    """
    stored: QuerySet[MessageHistory] = MessageHistory.objects.filter(
        message=message, version__gte=first - 1, version__lte=last
    )
    return list(
        stored.select_related("edited_by")
        .only(
            "version",
            "old_content",
            "edited_at",
            *UserProjection.columns("edited_by"),
        )
        .annotate(
            newest=F("message__content_version"),
            current_content=F("message__content"),
        )
        .order_by("version")
    )
