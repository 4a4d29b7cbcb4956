"""Checking the lines of a file, each by itself and against what is stored, before any is imported."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.db import reset_queries
from django.utils import timezone

from messaging.database import batches
from messaging.ids import MessageId
from messaging.import_export.errors import BadLineError, FileAccessError
from messaging.import_export.files import Advance, numbered_lines
from messaging.import_export.imported_ids import exported_here, imported_before
from messaging.import_export.lines import Line, parse_line
from messaging.import_export.staging import Note, Staging, Stored
from messaging.models import Conversation, Message

# Lines whose names and ids are looked up at once: below the number of
# parameters that every SQLite takes.
_CHECK_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class _Known:
    """A stored message, to compare a line with."""

    conversation: str | None
    sender: str | None
    timestamp: datetime
    content: str
    untouched: bool

    def differs_from(self, line: Line) -> bool:
        """Whether the message was imported with other values; False if it was edited or
        deleted.
        """
        return self.untouched and (
            self.content != line.content
            or self.sender != line.sender
            or self.timestamp != line.timestamp
        )


def check_file(path: Path, staging: Staging, *, advance: Advance) -> None:
    """Check every line, and stage the good ones; `advance` is called with the bytes read.

    Raises:
        FileAccessError: the file cannot be read, is damaged or has no lines.
    """
    empty = True
    for lines in batches(numbered_lines(path, advance=advance), _CHECK_BATCH):
        empty = False
        _stage(staging, _good_by_themselves(staging, lines))
        # With DEBUG, Django keeps the last 9,000 queries in memory.
        reset_queries()
    if empty:
        raise FileAccessError(f"{path} holds no lines.")
    staging.complete()


def _good_by_themselves(
    staging: Staging, lines: Iterable[tuple[int, bytes]]
) -> list[tuple[int, Line]]:
    good: list[tuple[int, Line]] = []
    for number, raw in lines:
        try:
            good.append((number, parse_line(raw)))
        except BadLineError as error:
            staging.leave_out(number, str(error))
    return good


def _stage(staging: Staging, lines: Sequence[tuple[int, Line]]) -> None:
    stored = _stored_conversations({line.conversation for _, line in lines})
    imported = imported_before(
        name for _, line in lines for name in (line.id, line.parent_message) if name
    )
    own = exported_here(line for _, line in lines if line.id not in imported)
    ids = {**imported, **own}
    known = _known_messages(ids.values())
    now = timezone.now()
    for number, line in lines:
        try:
            there = _stored(line.id, line, ids, known)
            staging.add(
                number,
                line,
                stored=line.conversation in stored,
                there=there,
                parent_there=_stored(line.parent_message, line, ids, known),
            )
        except BadLineError as error:
            staging.leave_out(number, str(error))
            continue
        if line.id not in own and _differs(line, there, known):
            staging.note(Note.DIFFERS, number)
        if there is None and line.timestamp > now:
            staging.note(Note.FUTURE, number)


def _stored(
    name: str | None,
    line: Line,
    ids: Mapping[str, MessageId],
    known: Mapping[MessageId, _Known],
) -> Stored | None:
    """The message that was imported before with this id of a line or of its parent.

    None if there is none, and if a parent belongs to another conversation.

    Raises:
        BadLineError: the line's own id is that of a message of another conversation.
    """
    if name is None or name not in ids:
        return None
    message = known.get(ids[name])
    if message is None:
        return Stored(None)
    if message.conversation == line.conversation:
        return Stored(ids[name])
    if name == line.id:
        raise BadLineError(f"has the id of a message stored before: {line.id!r}")
    return None


def _differs(
    line: Line, there: Stored | None, known: Mapping[MessageId, _Known]
) -> bool:
    if there is None or there.message_id is None:
        return False
    return known[there.message_id].differs_from(line)


def _stored_conversations(names: Iterable[str]) -> set[str | None]:
    return set(
        Conversation.objects.filter(external_id__in=list(names)).values_list(
            "external_id", flat=True
        )
    )


def _known_messages(ids: Iterable[MessageId]) -> dict[MessageId, _Known]:
    """The messages of these ids that still exist, tombstones included."""
    found: dict[MessageId, _Known] = {}
    for batch in batches(ids, _CHECK_BATCH):
        rows = Message.objects.filter(pk__in=batch).values_list(
            "pk",
            "conversation__external_id",
            "sender__external_id",
            "timestamp",
            "content",
            "content_version",
            "sender_id",
        )
        for pk, conversation, sender, timestamp, content, version, sender_id in rows:
            untouched = version == 1 and sender_id is not None
            found[MessageId(pk)] = _Known(
                conversation, sender, timestamp, content, untouched
            )
    return found
