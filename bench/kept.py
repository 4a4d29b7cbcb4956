"""The bytes that a message to 100 people takes in PostgreSQL, unread and once all have read it.

Events are those of reading it with others at once; they are forgotten after some days.

PARLEY_RATE_LIMITS=off DATABASE_URL=… .venv-bench/bin/python -m bench.kept  fills an empty, migrated database
"""

import os
from typing import Final

import django

_PEOPLE: Final = 101
_MESSAGES: Final = 200
_TABLES: Final = ("messaging_message", "messaging_notification", "messaging_event")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from messaging.access import membership
    from messaging.ids import ConversationId, Sequence, UserId
    from messaging.models import Message, User
    from messaging.sequence_ranges import SequenceRange
    from messaging.services.conversations import start_group
    from messaging.services.notifications import mark_ranges_read

    people = [
        User.objects.create(username=f"user{number}", display_name=f"User {number}")
        for number in range(_PEOPLE)
    ]
    opened = start_group(
        owner=people[0],
        title="All",
        usernames=[user.username for user in people[1:]],
    )
    group = ConversationId(opened.conversation.pk)
    before = _sizes()
    for number in range(_MESSAGES):
        Message.objects.create(
            conversation_id=group, sender=people[0], content=f"Message {number}"
        )
    _print("unread", before)
    for user in people[1:]:
        mark_ranges_read(
            membership=membership(reader=UserId(user.pk), conversation_id=group),
            ranges=[SequenceRange(Sequence(1), Sequence(_MESSAGES))],
        )
    _print("read", before)


def _print(state: str, before: dict[str, int]) -> None:
    now = _sizes()
    each = {table: (now[table] - before[table]) / _MESSAGES for table in _TABLES}
    tables = ", ".join(f"{table} {size:,.0f}" for table, size in each.items())
    print(f"{state}: {sum(each.values()):,.0f} bytes a message ({tables})")


def _sizes() -> dict[str, int]:
    """Of each table and its indexes, without what is free in them."""
    from django.db import connection

    from messaging.changes import finish_numbering

    # A row that another transaction may still see would count.
    finish_numbering()
    with connection.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"VACUUM FULL {table}")
        cursor.execute(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relname = ANY(%s)",
            [list(_TABLES)],
        )
        return dict(cursor.fetchall())


if __name__ == "__main__":
    main()
