"""Fills an empty database by set-based SQL: ten million messages in minutes.

    python -m bench.dataset --messages 1000000

prints tokens. The data keep every invariant that `manage.py check_consistency` checks.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

PEOPLE: Final = 1000
UNREAD_EACH: Final = 200
UNREAD_CONVERSATIONS: Final = 50

# Ids of users and conversations, which the requests of the benchmarks name.
READER: Final = 1
WRITER: Final = 2
LONG: Final = 1
SMALL_TREE: Final = 2
LARGE_TREE: Final = 3
FIRST_UNREAD: Final = 4
CROWD: Final = FIRST_UNREAD + UNREAD_CONVERSATIONS

# Rows that one transaction inserts.
_BATCH: Final = 1_000_000
_CONTENT: Final = (
    "It was a bright cold day in April, and the clocks were striking. " * 3
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What requests need to know of the data: tokens of two users, ids of two tree roots."""

    reader: str
    writer: str
    messages: int
    small_root: int
    large_root: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Messages with consecutive ids. Each field is SQL over `i`, which counts from 1."""

    conversation: str
    count: int
    sequence: str
    sender: str
    receiver: str
    parent: str = "NULL"
    read: str = "TRUE"


def _stretches(messages: int, small: int, large: int) -> Iterator[_Stretch]:
    """All messages; `small` and `large` are the numbers of replies in the two trees."""
    from_writer = f"CASE WHEN i % 2 = 1 THEN {WRITER} ELSE {READER} END"
    from_reader = f"CASE WHEN i % 2 = 1 THEN {READER} ELSE {WRITER} END"
    yield _Stretch(str(LONG), messages, "i", from_writer, from_reader)
    offset = messages
    for tree, replies in ((SMALL_TREE, small), (LARGE_TREE, large)):
        # Three replies below each message.
        parent = f"CASE WHEN i > 1 THEN {offset} + (i + 1) / 3 END"
        yield _Stretch(str(tree), replies + 1, "i", from_writer, "NULL", parent)
        offset += replies + 1
    unread = UNREAD_CONVERSATIONS * UNREAD_EACH
    place = f"(i - 1) / {UNREAD_EACH}"
    yield _Stretch(
        conversation=f"{FIRST_UNREAD} + {place}",
        count=unread,
        sequence=f"1 + (i - 1) % {UNREAD_EACH}",
        sender=f"{WRITER + 1} + {place}",
        receiver=str(READER),
        read="FALSE",
    )


def fill(messages: int, *, small: int = 200, large: int = 10_000) -> Filled:
    """Fill a migrated database; it must be empty."""
    from messaging.models import Conversation, Message, User
    from messaging.services.tokens import issue_token

    if User.objects.exists() or Conversation.objects.exists():
        sys.exit("bench.dataset: the database is not empty")
    _fill_people()
    _fill_conversations()
    first = 0
    for stretch in _stretches(messages, small, large):
        _fill_stretch(stretch, first)
        first += stretch.count
    _finish(last=first)
    reader, writer = (User.objects.get(pk=person) for person in (READER, WRITER))
    small_root = Message.objects.get(conversation=SMALL_TREE, sequence=1).pk
    return Filled(
        reader=issue_token(user=reader, name="bench", expires_in=None).secret,
        writer=issue_token(user=writer, name="bench", expires_in=None).secret,
        messages=messages,
        small_root=small_root,
        large_root=small_root + small + 1,
    )


def _fill_people() -> None:
    from messaging.models import User
    from messaging.services.names import add_entries

    _run(
        "INSERT INTO messaging_user (id, password, is_superuser, username, display_name,"
        " folded_name, who_may_add, is_active, is_staff, date_joined)"
        " SELECT i, '!', FALSE, 'person' || i, 'Person ' || i,"
        " 'person' || i || ' person ' || i, 'everyone', TRUE, FALSE,"
        f" {_moment('i')} FROM ({_numbers(1, PEOPLE)}) AS numbers"
    )
    add_entries(User.objects.all())


def _fill_conversations() -> None:
    """Insert direct conversations of the reader, three groups, and all participants."""
    direct = (
        "INSERT INTO messaging_conversation (id, kind, title, folded_title,"
        " last_sequence, version, last_activity_at, created_at, low_user_id,"
        " high_user_id)"
    )
    start = _moment("0")
    _run(
        f"{direct} SELECT {LONG}, 'direct', '', '', 0, 1, {start}, {start}, {READER}, {WRITER}"
        f" UNION ALL SELECT {FIRST_UNREAD} + i - 1, 'direct', '', '', 0, 1, {start}, {start},"
        f" {READER}, {WRITER} + i FROM ({_numbers(1, UNREAD_CONVERSATIONS)}) AS numbers"
    )
    for group in (SMALL_TREE, LARGE_TREE, CROWD):
        _run(
            f"{direct} VALUES ({group}, 'group', 'Group {group}', 'group {group}',"
            f" 0, 1, {start}, {start}, NULL, NULL)"
        )
    membership = (
        "INSERT INTO messaging_participant (role, muted, joined_at, joined_position,"
        " notified_from, conversation_id, user_id)"
        f" SELECT '{{}}', FALSE, {start}, 0, 1, "
    )
    for side in ("low_user_id", "high_user_id"):
        _run(
            f"{membership.format('member')} id, {side} FROM messaging_conversation"
            " WHERE kind = 'direct'"
        )
    for person, role in ((READER, "owner"), (WRITER, "member")):
        _run(
            f"{membership.format(role)} id, {person} FROM messaging_conversation"
            " WHERE kind = 'group'"
        )
    numbers = _numbers(WRITER + 1, PEOPLE)
    _run(f"{membership.format('member')} {CROWD}, i FROM ({numbers}) AS numbers")


def _fill_stretch(stretch: _Stretch, first: int) -> None:
    for start in range(1, stretch.count + 1, _BATCH):
        end = min(start + _BATCH - 1, stretch.count)
        _run(
            "INSERT INTO messaging_message (id, sequence, content, timestamp, read, edited,"
            " content_version, reply_count, conversation_id, sender_id, receiver_id,"
            " parent_message_id)"
            f" SELECT {first} + i, {stretch.sequence}, 'Message ' || i || ' {_CONTENT}',"
            f" {_moment('i')}, {stretch.read}, FALSE, 1, 0, {stretch.conversation},"
            f" {stretch.sender}, {stretch.receiver}, {stretch.parent}"
            f" FROM ({_numbers(start, end)}) AS numbers"
        )
        # These conversations have two participants: notify the one who is not the
        # sender. What was read is not kept.
        _run(
            "INSERT INTO messaging_notification (kind, position, created_at, is_read,"
            " silent, conversation_id, message_id, user_id)"
            " SELECT 'message', message.id, message.timestamp, message.read, FALSE,"
            " message.conversation_id, message.id, part.user_id"
            " FROM messaging_message message JOIN messaging_participant part"
            " ON part.conversation_id = message.conversation_id"
            " AND part.user_id <> message.sender_id"
            f" WHERE message.id BETWEEN {first + start} AND {first + end}"
            " AND NOT message.read"
        )


def _finish(last: int) -> None:
    """Set the columns that are derived from messages: counts, last sequences, the clock."""
    from django.core.management.color import no_style
    from django.db import connection

    from messaging.models import Conversation, Message, Notification, User

    _run(
        "UPDATE messaging_message SET reply_count = (SELECT COUNT(*) FROM"
        " messaging_message reply WHERE reply.parent_message_id = messaging_message.id)"
        " WHERE id IN (SELECT parent_message_id FROM messaging_message"
        " WHERE parent_message_id IS NOT NULL)"
    )
    for column, source in (
        ("last_sequence", "sequence"),
        ("last_activity_at", "timestamp"),
    ):
        _run(
            f"UPDATE messaging_conversation SET {column} = (SELECT {source} FROM"
            " messaging_message message WHERE message.conversation_id ="
            " messaging_conversation.id ORDER BY sequence DESC LIMIT 1)"
            " WHERE EXISTS (SELECT 1 FROM messaging_message message"
            " WHERE message.conversation_id = messaging_conversation.id)"
        )
    _run(f"UPDATE messaging_installation SET clock = {last}")
    models = [User, Conversation, Message, Notification]
    for statement in connection.ops.sequence_reset_sql(no_style(), models):
        _run(statement)


def _vacuum() -> None:
    """Update PostgreSQL's visibility map and statistics, as autovacuum soon would.

    Counts are read from the index alone only after that.
    """
    from django.db import connection

    if connection.vendor == "postgresql":
        _run("VACUUM ANALYZE")


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def _numbers(first: int, last: int) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"SELECT i FROM generate_series({first}, {last}) AS i"
    return (
        f"WITH RECURSIVE counted(i) AS (SELECT {first} UNION ALL"
        f" SELECT i + 1 FROM counted WHERE i < {last}) SELECT i FROM counted"
    )


def _moment(seconds: str) -> str:
    """SQL for the time that is this many seconds after the start of 2020."""
    from django.db import connection

    if connection.vendor == "postgresql":
        return f"timestamptz '2020-01-01 00:00:00Z' + {seconds} * interval '1 second'"
    return f"datetime('2020-01-01', '+' || ({seconds}) || ' seconds')"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.dataset", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    count: int = parser.parse_args().messages
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    filled = fill(count)
    _vacuum()
    print(json.dumps(asdict(filled)))


if __name__ == "__main__":
    main()
