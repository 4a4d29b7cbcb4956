"""Imports conversations: first it checks all lines, then it writes the new messages.

A message is recognised by its id in files, even after it was deleted here. So the
import of a later export adds the messages since then, and an interrupted import is
resumed by running it again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from django.db import connection, reset_queries
from django.db.models import F
from django.utils import timezone

from messaging.changes import Change, open_change
from messaging.database import BATCH_SIZE, batches, execute, fetch_all
from messaging.folding import fold
from messaging.ids import ConversationId, MessageId
from messaging.import_export.files import Advance
from messaging.import_export.imported_ids import imported_before, remember_imported
from messaging.import_export.participants import add_participants
from messaging.import_export.staging import StagedConversation, StagedMessage, Staging
from messaging.import_export.usernames import fitting_title
from messaging.import_export.users import identify_users
from messaging.models import Conversation, Event, Message, Participant
from messaging.models.events import EventType
from messaging.services.messages import activity_at


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """The numbers of created conversations, messages and accounts, and of messages added
    to existing conversations.
    """

    conversations: int = 0
    messages: int = 0
    people: int = 0
    continued: int = 0
    added: int = 0

    def __add__(self, other: "ImportSummary") -> "ImportSummary":
        return ImportSummary(
            self.conversations + other.conversations,
            self.messages + other.messages,
            self.people + other.people,
            self.continued + other.continued,
            self.added + other.added,
        )


def import_staged(staging: Staging, *, advance: Advance) -> ImportSummary:
    """Write the new messages; `advance` is called with the number of messages written.

    Each batch is a transaction of its own, so that a server in use goes on; users see a
    conversation appear and grow. If the import is interrupted, the next one writes the
    rest.
    """
    summary = ImportSummary()
    for conversation in staging.conversations():
        summary += _import_conversation(staging, conversation, advance)
    if connection.vendor == "postgresql":
        _analyze()
    return summary


def _analyze() -> None:
    """Update the statistics of PostgreSQL's planner.

    Without them, until autovacuum runs, reading a large tree takes seconds instead of
    milliseconds.
    """
    tables = (model._meta.db_table for model in (Conversation, Message, Participant))
    execute(f"ANALYZE {', '.join(tables)}")


def _import_conversation(
    staging: Staging, staged: StagedConversation, advance: Advance
) -> ImportSummary:
    summary = ImportSummary()
    for numbers in batches(staging.line_numbers(staged), BATCH_SIZE):
        with open_change() as change:
            summary += _import_batch(staging, staged, numbers, change)
            advance(len(numbers))
        reset_queries()
    begun = summary.conversations > 0
    return ImportSummary(
        conversations=int(begun),
        messages=summary.added if begun else 0,
        people=summary.people,
        continued=int(not begun and summary.added > 0),
        added=0 if begun else summary.added,
    )


def _import_batch(
    staging: Staging,
    staged: StagedConversation,
    numbers: Sequence[int],
    change: Change,
) -> ImportSummary:
    conversation, begun = _locked_conversation(staged, change)
    opened = identify_users(staging, staged, numbers)
    messages = _still_new(staging, staged, numbers)
    if messages:
        # Lock the senders, so that a concurrent rename renews this conversation's page
        # too.
        senders = {message.sender_id for message in messages if message.sender_id}
        change.lock_users(senders)
        add_participants(conversation, messages, begun=begun, change=change)
        _add_messages(staging, conversation, messages, change)
        change.record(_imported_event(conversation, begun=begun))
    return ImportSummary(conversations=int(begun), people=opened, added=len(messages))


def _locked_conversation(
    staged: StagedConversation, change: Change
) -> tuple[Conversation, bool]:
    """Lock the conversation, or create it; return it, and whether it was created."""
    begun_at = min(staged.begun_at, timezone.now())
    title = fitting_title(staged.name)
    conversation, begun = change.first_or_insert(
        Conversation.objects.filter(external_id=staged.name),
        Conversation(
            kind=Conversation.Kind.GROUP,
            title=title,
            folded_title=fold(title),
            last_activity_at=begun_at,
            created_at=begun_at,
            external_id=staged.name,
        ),
    )
    return change.conversation(conversation.pk), begun


def _still_new(
    staging: Staging, staged: StagedConversation, numbers: Sequence[int]
) -> Sequence[StagedMessage]:
    """The messages of these lines, except those that another import has written meanwhile."""
    messages = list(staging.messages(staged, numbers))
    ids = imported_before(message.external_id for message in messages)
    known = {
        message.number: ids[message.external_id]
        for message in messages
        if message.external_id in ids
    }
    if not known:
        return messages
    staging.assign(known.values(), known.keys())
    # Read them again, since they may be the parents of other lines.
    return [
        message
        for message in staging.messages(staged, numbers)
        if message.number not in known
    ]


def _add_messages(
    staging: Staging,
    conversation: Conversation,
    messages: Sequence[StagedMessage],
    change: Change,
) -> None:
    # Without signals: the code below computes sequences and reply counts, and nobody is
    # notified of old messages.
    ids = dict(
        zip(
            (message.number for message in messages),
            _reserved_ids(len(messages)),
            strict=True,
        )
    )
    parents = _parents(messages, ids)
    change.insert(
        _message(conversation, place, message, ids[message.number], parents)
        for place, message in enumerate(messages, conversation.last_sequence + 1)
    )
    staging.assign(ids.values(), ids.keys())
    remember_imported(
        {message.external_id: ids[message.number] for message in messages},
        conversation_id=ConversationId(conversation.pk),
    )
    _count_replies(parents.values(), change)
    latest = max(message.timestamp for message in messages)
    change.renew(
        conversation.pk,
        last_sequence=conversation.last_sequence + len(messages),
        last_activity_at=activity_at(conversation, latest),
    )


def _parents(
    messages: Sequence[StagedMessage], ids: Mapping[int, MessageId]
) -> dict[int, MessageId]:
    """The ids of existing parents, by the line numbers of their replies.

    A reply whose parent was deleted here without a tombstone has no parent.
    """
    named = {
        message.number: message.parent_id or ids.get(message.parent_number or 0)
        for message in messages
    }
    before = {message.parent_id for message in messages if message.parent_id}
    left = set(
        Message.objects.filter(pk__in=list(before)).values_list("pk", flat=True)
    ).union(ids.values())
    return {
        number: parent
        for number, parent in named.items()
        if parent is not None and parent in left
    }


def _count_replies(parents: Iterable[MessageId], change: Change) -> None:
    numbers: dict[int, list[MessageId]] = defaultdict(list)
    for parent, number in Counter(parents).items():
        numbers[number].append(parent)
    for number, replied_to in numbers.items():
        rows = Message.objects.filter(pk__in=replied_to)
        change.update(rows, reply_count=F("reply_count") + number)


def _imported_event(conversation: Conversation, *, begun: bool) -> Event:
    """The event for listening clients: a new conversation, or one to read again."""
    return Event(
        type=EventType.CONVERSATION_CREATED if begun else EventType.CONVERSATION_RESET,
        conversation_id=conversation.pk,
    )


def _message(
    conversation: Conversation,
    sequence: int,
    staged: StagedMessage,
    message_id: MessageId,
    parents: Mapping[int, MessageId],
) -> Message:
    return Message(
        pk=message_id,
        conversation=conversation,
        sequence=sequence,
        sender_id=staged.sender_id,
        content=staged.content,
        timestamp=staged.timestamp,
        # Nobody is notified of imported messages, so nobody has one unread.
        read=True,
        parent_message_id=parents.get(staged.number),
        # A tombstone keeps nothing of its message, not even the external id.
        external_id=staged.external_id if staged.sender_id else None,
    )


def _reserved_ids(count: int) -> Iterable[MessageId]:
    """Reserve ids before the insert: a reply refers to the id of a parent in the same batch."""
    table = Message._meta.db_table
    if connection.vendor == "postgresql":
        taken = fetch_all(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) AS id"
            " FROM generate_series(1, %s) ORDER BY id",
            [table, count],
        )
        return [MessageId(cast(int, number)) for (number,) in taken]
    # Safe without a sequence: the transaction keeps other writers out until the rows
    # are inserted.
    rows = fetch_all("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
    first = cast(int, rows[0][0]) + 1 if rows else 1
    return (MessageId(number) for number in range(first, first + count))
