"""What a message said before it was edited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from django.db.models import F, Max
from django_stubs_ext import WithAnnotations
from rapidfuzz.distance import LCSseq

from messaging.access import OwnMessage, ReadableMessage, membership
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import VersionNotFoundError
from messaging.ids import ConversationId, UserId
from messaging.models import Message, MessageHistory, User
from messaging.pages import Page
from messaging.services.messages import edit_message

_WORDS: Final = re.compile(r"\s+|\S+")
# In more pieces nobody sees what changed, and each costs something.
_MOST_STEPS: Final = 1000
_EDITOR: Final = ("edited_by__username", "edited_by__display_name")


class Change(StrEnum):
    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


class _Now(TypedDict):
    newest: int
    current_content: str


@dataclass(frozen=True, slots=True)
class DiffPart:
    """A run of words; the parts but the removed ones make up the newer content."""

    change: Change
    text: str


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said, from when, by whom. The original was edited by nobody.

    `diff` is to the version before, None where there is none its reader may see.
    """

    number: int
    content: str
    edited_at: datetime | None
    edited_by: User | None
    diff: Sequence[DiffPart] | None


def version_page(
    *, message: ReadableMessage, reader: UserId, cursor: str | None, limit: int
) -> Page[Version]:
    """The versions of a message, oldest first, the current content last.

    Who joined after a version was overwritten does not get it, unless it is
    their own. A tombstone has none.
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
    begun = {row.version + 1: row for row in kept}
    versions = [
        Version(
            number=number,
            content=content[number],
            edited_at=begun[number].edited_at if number > 1 else None,
            edited_by=begun[number].edited_by if number > 1 else None,
            diff=(
                word_diff(content[number - 1], content[number])
                if number > visible_from
                else None
            ),
        )
        for number in range(first, min(first + limit, newest + 1))
    ]
    more = first + limit <= newest
    return Page(versions, encode_cursor("versions", first + limit) if more else None)


def word_diff(old: str, new: str) -> list[DiffPart]:
    """The parts, in reading order, that turn one content into another.

    Words and the space between them are compared, so that no word is shown in
    two colours. Contents that have little in common are one replacement.
    """
    before: list[str] = _WORDS.findall(old)
    after: list[str] = _WORDS.findall(new)
    steps = LCSseq.opcodes(before, after)
    if len(steps) > _MOST_STEPS:
        return _replacement(old, new)
    parts: list[DiffPart] = []
    removed = added = ""
    for step in steps:
        gone = "".join(before[step.src_start : step.src_end])
        come = "".join(after[step.dest_start : step.dest_end])
        if step.tag != "equal":
            removed += gone
            added += come
            continue
        parts += _replacement(removed, added)
        parts.append(DiffPart(Change.SAME, come))
        removed = added = ""
    return [*parts, *_replacement(removed, added)]


def restore_version(*, message: OwnMessage, version: int) -> Message:
    """Bring an older content back, as a new edit.

    Raises:
        VersionNotFoundError: there is no such version.
    """
    if version == message.content_version:
        return message
    kept = message.history.filter(version=version).first()
    if kept is None:
        raise VersionNotFoundError("The message has no such version.")
    return edit_message(message=message, content=kept.old_content)


def _replacement(removed: str, added: str) -> list[DiffPart]:
    """What went, then what came in its place."""
    parts = (DiffPart(Change.REMOVED, removed), DiffPart(Change.ADDED, added))
    return [part for part in parts if part.text]


def _first_visible(message: ReadableMessage, *, reader: UserId) -> int:
    if message.sender_id == reader:
        return 1
    part = membership(
        reader=reader, conversation_id=ConversationId(message.conversation_id)
    )
    replaced = message.history.filter(position__lt=part.joined_position)
    return (replaced.aggregate(newest=Max("version"))["newest"] or 0) + 1


def _kept(
    message: Message, *, first: int, last: int
) -> "list[WithAnnotations[MessageHistory, _Now]]":
    """The kept versions of a page and the one before, with the present beside them.

    One statement, so that an edit in between cannot tear them apart.
    """
    return list(
        MessageHistory.objects.filter(
            message=message, version__gte=first - 1, version__lte=last
        )
        .select_related("edited_by")
        .only("version", "old_content", "edited_at", *_EDITOR)
        .annotate(
            newest=F("message__content_version"),
            current_content=F("message__content"),
        )
        .order_by("version")
    )
