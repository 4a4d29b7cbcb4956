"""Bringing conversations in: all lines are checked, then each conversation is one
transaction, so that a live server goes on and a broken run can be resumed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.db import connection, reset_queries, transaction
from django.db.models import QuerySet

from messaging.ids import MessageId
from messaging.interchange.batches import batches
from messaging.interchange.errors import BadLineError, FileAccessError
from messaging.interchange.files import Advance, numbered_lines
from messaging.interchange.lines import Line, parse_line
from messaging.interchange.people import identify_people
from messaging.interchange.staging import StagedConversation, StagedMessage, Staging
from messaging.interchange.usernames import fitting_title
from messaging.models import Conversation, Message, Participant

# Lines whose names and ids are looked up at once: below the number of
# parameters that every SQLite takes.
_CHECK_BATCH: Final = 500
# Rows that are held in memory at once.
_WRITE_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import made. Conversations that were there are not looked into."""

    conversations: int = 0
    messages: int = 0
    people: int = 0

    def __add__(self, other: "ImportSummary") -> "ImportSummary":
        return ImportSummary(
            self.conversations + other.conversations,
            self.messages + other.messages,
            self.people + other.people,
        )


def check_file(path: Path, staging: Staging, *, advance: Advance) -> None:
    """Check every line, and stage the good ones; `advance` is told the bytes read.

    Raises:
        FileAccessError: the file cannot be read, is damaged or holds nothing.
    """
    empty = True
    for lines in batches(numbered_lines(path, advance=advance), _CHECK_BATCH):
        empty = False
        _stage(staging, _good_by_themselves(staging, lines))
        # Under DEBUG, Django keeps the last 9,000 in memory.
        reset_queries()
    if empty:
        raise FileAccessError(f"{path} holds no lines.")
    staging.complete()


def import_staged(staging: Staging, *, advance: Advance) -> ImportSummary:
    """Write the staged conversations; `advance` is told the messages written."""
    summary = ImportSummary()
    for conversation in staging.new_conversations():
        with transaction.atomic():
            summary += _import_conversation(staging, conversation, advance)
    if connection.vendor == "postgresql":
        _analyze()
    return summary


def _analyze() -> None:
    """Tell PostgreSQL's planner of the new rows at once.

    Until it finds out by itself, a large tree takes seconds instead of milliseconds.
    """
    tables = (model._meta.db_table for model in (Conversation, Message, Participant))
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


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
    taken = _taken_ids(line.id for _, line in lines if line.conversation not in stored)
    for number, line in lines:
        try:
            _require_free_id(line, taken)
            staging.add(number, line, stored=line.conversation in stored)
        except BadLineError as error:
            staging.leave_out(number, str(error))


def _require_free_id(line: Line, taken: Collection[str | None]) -> None:
    if line.id in taken:
        raise BadLineError(f"has the id of a message stored before: {line.id!r}")


def _stored_conversations(names: Iterable[str]) -> set[str | None]:
    """Complete ones: each was committed whole. What was deleted since stays deleted."""
    return set(
        Conversation.objects.filter(external_id__in=list(names)).values_list(
            "external_id", flat=True
        )
    )


def _taken_ids(ids: Iterable[str]) -> set[str | None]:
    return set(
        Message.objects.filter(external_id__in=list(ids)).values_list(
            "external_id", flat=True
        )
    )


def _import_conversation(
    staging: Staging, staged: StagedConversation, advance: Advance
) -> ImportSummary:
    # Another import may have been faster since the lines were checked.
    conversation, created = Conversation.objects.get_or_create(
        external_id=staged.name,
        defaults={
            "kind": Conversation.Kind.GROUP,
            "title": fitting_title(staged.name),
            "last_sequence": staged.message_count,
            "last_activity_at": staged.last_activity_at,
            "created_at": staged.begun_at,
        },
    )
    if not created:
        return ImportSummary()
    people = identify_people(staging, staged)
    _add_participants(staging, staged, conversation)
    _add_messages(staging, staged, conversation, advance)
    return ImportSummary(1, staged.message_count, people)


def _add_participants(
    staging: Staging, staged: StagedConversation, conversation: Conversation
) -> None:
    """All who sent something, from the beginning, owned by whoever came first."""
    role = Participant.Role.OWNER
    for senders in batches(staging.senders(staged), _WRITE_BATCH):
        parts = []
        for user_id in senders:
            parts.append(
                Participant(
                    conversation=conversation,
                    user_id=user_id,
                    role=role,
                    joined_at=staged.begun_at,
                )
            )
            role = Participant.Role.MEMBER
        Participant.objects.bulk_create(parts)


def _add_messages(
    staging: Staging,
    staged: StagedConversation,
    conversation: Conversation,
    advance: Advance,
) -> None:
    # Past the signals, hence past `Message.objects`, which refuses that: sequences
    # and reply counts are given here, and history is nothing to be notified of.
    messages: QuerySet[Message] = QuerySet(Message)
    sequence = 0
    for numbers in batches(staging.line_numbers(staged), _WRITE_BATCH):
        staging.assign(_reserved_ids(len(numbers)), numbers)
        messages.bulk_create(
            _message(conversation, sequence + place, message)
            for place, message in enumerate(staging.messages(staged, numbers), 1)
        )
        sequence += len(numbers)
        advance(len(numbers))
        reset_queries()


def _message(
    conversation: Conversation, sequence: int, staged: StagedMessage
) -> Message:
    return Message(
        pk=staged.message_id,
        conversation=conversation,
        sequence=sequence,
        sender_id=staged.sender_id,
        content=staged.content,
        timestamp=staged.timestamp,
        read=True,
        parent_message_id=staged.parent_id,
        reply_count=staged.reply_count,
        external_id=staged.external_id,
    )


def _reserved_ids(count: int) -> Iterable[MessageId]:
    """Ids that nobody else gets: a reply names its parent's before either is stored."""
    table = Message._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS id"
                " FROM generate_series(1, %s) ORDER BY id",
                [table, count],
            )
            return [MessageId(row[0]) for row in cursor.fetchall()]
        # The transaction keeps other writers out until the rows are there.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row: tuple[int] | None = cursor.fetchone()
    first = row[0] + 1 if row else 1
    return (MessageId(number) for number in range(first, first + count))
