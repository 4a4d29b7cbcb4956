"""The time of the main requests in a database of many conversations, and of their statements.

    export DATABASE_URL=postgres://…/empty
    python manage.py migrate && python -m bench.partitions --fill 10000000
    python -m bench.partitions
    PARLEY_PARTITIONS=16 python manage.py migrate && python -m bench.partitions

Every other program of bench has its messages in one conversation, and so in one partition.
The requests are made within this process, one at a time, and none finds its page cached.
"""

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.test import Client

CONVERSATIONS: Final = 20_000
PEOPLE: Final = 5_000
READER: Final = 1
# Of each conversation, the newest that nobody has read.
_UNREAD: Final = 50
# The reader takes part in every hundredth conversation, and the first of those has a tree.
_STEP: Final = 100
_REPLIES: Final = 200
_WARMING: Final = 30
_CONTENT: Final = "It was a bright cold day in April. " * 4
_API: Final = "/api/v1"

Context = dict[str, object]
Execute = Callable[[str, object, bool, Context], object]
# By name: method, path and body of a request, made anew for each.
Asks = Mapping[str, Callable[[], tuple[str, str, object]]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="bench.partitions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--fill", type=int, metavar="MESSAGES")
    parser.add_argument("--requests", type=int, default=200)
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("PARLEY_RATE_LIMITS", "off")
    os.environ.setdefault("PARLEY_LOG_LEVEL", "ERROR")
    import django

    django.setup()
    if given.fill:
        _fill(given.fill // CONVERSATIONS)
    else:
        _measure(given.requests)


def _fill(each: int) -> None:
    """As if all conversations were written to in turn, by their four people."""
    numbers = f"generate_series(1, {CONVERSATIONS}) AS c"
    start = "timestamptz '2020-01-01'"
    for statement in (
        (
            "INSERT INTO messaging_user (id, password, is_superuser, username, display_name,"
            " folded_name, who_may_add, is_active, is_staff, date_joined)"
            " SELECT i, '!', FALSE, 'person' || i, 'Person ' || i, 'person' || i, 'everyone',"
            f" TRUE, FALSE, {start} FROM generate_series(1, {PEOPLE}) AS i"
        ),
        (
            "INSERT INTO messaging_conversation (id, kind, title, folded_title,"
            " last_sequence, version, last_activity_at, created_at)"
            f" SELECT c, 'group', 'Group ' || c, 'group ' || c, {each}, 1,"
            f" {_moment(str(each))}, {start} FROM {numbers}"
        ),
        (
            "INSERT INTO messaging_participant (role, muted, joined_at, joined_position,"
            " notified_from, conversation_id, user_id)"
            f" SELECT CASE p WHEN 0 THEN 'owner' ELSE 'member' END, FALSE, {start}, 0, 1, c,"
            f" CASE WHEN p = 0 AND c % {_STEP} = 0 THEN {READER} ELSE {_person('p')} END"
            f" FROM {numbers}, generate_series(0, 3) AS p"
        ),
        *_messages(each),
        f"UPDATE messaging_installation SET clock = {CONVERSATIONS * each + _REPLIES + 1}",
        *(
            f"SELECT setval(pg_get_serial_sequence('messaging_{table}', 'id'), max(id))"
            f" FROM messaging_{table}"
            for table in ("user", "conversation", "message")
        ),
        (
            "SELECT setval(pg_get_serial_sequence('messaging_event', 'id'), clock)"
            " FROM messaging_installation"
        ),
        "VACUUM ANALYZE",
    ):
        _run(statement)


def _messages(each: int) -> Iterator[str]:
    """One in five is a reply to the one before it, and one in fifty was edited."""
    yield (
        "INSERT INTO messaging_message (id, sequence, content, timestamp, read, edited,"
        " content_version, reply_count, conversation_id, sender_id, parent_message_id)"
        f" SELECT (s - 1) * {CONVERSATIONS} + c, s, 'Message ' || s || ' {_CONTENT}',"
        f" {_moment('s')}, s <= {each - _UNREAD}, s % 50 = 0, 1 + (s % 50 = 0)::int,"
        f" (s % 5 = 4 AND s < {each})::int, c, {_person('1 + s % 3')},"
        f" CASE WHEN s % 5 = 0 THEN (s - 2) * {CONVERSATIONS} + c END"
        f" FROM generate_series(1, {each}) AS s,"
        f" generate_series(1, {CONVERSATIONS}) AS c ORDER BY s, c"
    )
    last = each * CONVERSATIONS
    yield (
        "INSERT INTO messaging_message (id, sequence, content, timestamp, read, edited,"
        " content_version, reply_count, conversation_id, sender_id, parent_message_id)"
        f" SELECT {last} + i, {each} + i, 'Reply ' || i, now(), TRUE, FALSE, 1,"
        f" (3 * i - 1 <= {_REPLIES + 1})::int + (3 * i <= {_REPLIES + 1})::int"
        f" + (3 * i + 1 <= {_REPLIES + 1})::int, {_STEP}, {READER},"
        f" CASE WHEN i > 1 THEN {last} + (i + 1) / 3 END"
        f" FROM generate_series(1, {_REPLIES + 1}) AS i"
    )
    yield (
        f"UPDATE messaging_conversation SET last_sequence = {each + _REPLIES + 1}"
        f" WHERE id = {_STEP}"
    )
    yield (
        "INSERT INTO messaging_messagehistory (version, old_content, position, edited_at,"
        " edited_by_id, message_id, conversation_id)"
        " SELECT 1, 'Before', 0, timestamp, sender_id, id, conversation_id"
        " FROM messaging_message WHERE edited ORDER BY id"
    )
    yield (
        "INSERT INTO messaging_notification (kind, position, created_at, is_read, silent,"
        " conversation_id, message_id, user_id)"
        " SELECT 'message', message.id, message.timestamp, FALSE, FALSE,"
        " message.conversation_id, message.id, part.user_id"
        " FROM messaging_message message JOIN messaging_participant part"
        " ON part.conversation_id = message.conversation_id"
        " AND part.user_id <> message.sender_id"
        " WHERE NOT message.read ORDER BY message.id"
    )


def _person(place: str) -> str:
    return f"2 + (c + ({place}) * 1237) % {PEOPLE - 1}"


def _moment(sequence: str) -> str:
    return (
        "timestamptz '2020-01-01'"
        f" + (({sequence} - 1) * {CONVERSATIONS} + c) * interval '1 second'"
    )


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def _measure(requests: int) -> None:
    from django.test import Client

    from messaging.models import User
    from messaging.services.tokens import issue_token

    reader = User.objects.get(pk=READER)
    secret = issue_token(user=reader, name="bench", expires_in=None).secret
    client = Client(
        headers={"authorization": f"Bearer {secret}"}, SERVER_NAME="localhost"
    )
    print("| request | ms | of them in statements | statements |\n|---|--:|--:|--:|")
    for name, ask in _asks().items():
        taken = [_taken(client, *ask()) for _ in range(_WARMING + requests)]
        whole, within, count = (
            median(each[column] for each in taken[_WARMING:]) for column in range(3)
        )
        print(f"| {name} | {whole * 1000:.2f} | {within * 1000:.2f} | {count:.0f} |")


def _asks() -> Asks:
    from messaging.models import Message

    theirs = range(_STEP, CONVERSATIONS + 1, _STEP)
    tree = Message.objects.filter(conversation=_STEP, reply_count=3)
    root = tree.earliest("sequence").pk
    last = Message.objects.latest("pk").pk - _REPLIES - 1
    each = last // CONVERSATIONS
    said = {"content": "Message " + "words " * 30}

    def conversation() -> str:
        return f"{_API}/conversations/{random.choice(theirs)}/messages"  # noqa: S311

    def message(oldest: int = 0) -> str:
        sequence = random.randrange(oldest, each)  # noqa: S311
        return f"{_API}/messages/{sequence * CONVERSATIONS + random.choice(theirs)}"  # noqa: S311

    return {
        "newest 50": lambda: ("GET", conversation(), None),
        "a message by its id": lambda: ("GET", message(), None),
        "thread of 200 replies": lambda: (
            "GET",
            f"{_API}/messages/{root}/thread",
            None,
        ),
        "inbox, 50 of 10,000 unread": lambda: ("GET", f"{_API}/inbox", None),
        "unread count": lambda: ("GET", f"{_API}/inbox/summary", None),
        "conversation list, 50": lambda: ("GET", f"{_API}/conversations", None),
        "notifications, 50": lambda: ("GET", f"{_API}/notifications", None),
        "send to a group": lambda: ("POST", conversation(), said),
        "edit a message": lambda: ("PATCH", f"{_API}/messages/{root}", said),
        "mark a message read": lambda: ("PUT", f"{message(each - _UNREAD)}/read", None),
    }


def _taken(
    client: "Client", method: str, path: str, body: object
) -> tuple[float, float, int]:
    """Seconds of a request, those within its statements, and their number."""
    from django.core.cache import cache
    from django.db import connection

    from messaging.conversation_memory import clear_memories

    cache.clear()
    clear_memories()
    within: list[float] = []

    def timed(
        execute: Execute, sql: str, values: object, many: bool, context: Context
    ) -> object:
        started = time.perf_counter()
        try:
            return execute(sql, values, many, context)
        finally:
            within.append(time.perf_counter() - started)

    started = time.perf_counter()
    with connection.execute_wrapper(timed):
        answer = client.generic(
            method,
            path,
            "" if body is None else json.dumps(body),
            content_type="application/json",
        )
    taken = time.perf_counter() - started
    if answer.status_code >= 400:
        sys.exit(f"bench.partitions: {method} {path}: {answer.status_code}")
    return taken, sum(within), len(within)


if __name__ == "__main__":
    main()
