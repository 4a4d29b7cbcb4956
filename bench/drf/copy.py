"""Copies the data of bench.dataset into this project's tables, and prints its tokens.

BENCH_SOURCE is Parley's database file (SQLite) or its schema (PostgreSQL).
"""

import json
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.drf.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402  # needs the set-up
from django.core.management import call_command  # noqa: E402
from django.core.management.color import no_style  # noqa: E402
from django.db import connection  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from bench.drf.models import Conversation, Message, Notification  # noqa: E402

_COPIES = (
    "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name,"
    " email, is_staff, is_active, date_joined) SELECT id, password, FALSE, username,"
    " display_name, '', '', FALSE, TRUE, date_joined FROM {}.messaging_user",
    "INSERT INTO drf_conversation (id, title, last_activity_at) SELECT id, title,"
    " last_activity_at FROM {}.messaging_conversation",
    "INSERT INTO drf_conversation_participants (conversation_id, user_id)"
    " SELECT conversation_id, user_id FROM {}.messaging_participant",
    "INSERT INTO drf_message (id, content, timestamp, read, edited, conversation_id,"
    " sender_id, receiver_id, parent_message_id) SELECT id, content, timestamp, read,"
    " edited, conversation_id, sender_id, receiver_id, parent_message_id"
    " FROM {}.messaging_message",
    "INSERT INTO drf_notification (created_at, is_read, conversation_id, message_id,"
    " user_id) SELECT created_at, is_read, conversation_id, message_id, user_id"
    " FROM {}.messaging_notification ORDER BY position",
)


def main() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA drf")
    call_command("migrate", verbosity=0)
    # After the tables of Django's apps, to which ours refer.
    call_command("migrate", run_syncdb=True, verbosity=0)
    source = os.environ["BENCH_SOURCE"]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ATTACH DATABASE %s AS ours", [source])
            source = "ours"
        for statement in _COPIES:
            cursor.execute(statement.format(source))
        models = [User, Conversation, Message, Notification]
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
    reader, writer = (Token.objects.create(user_id=person).key for person in (1, 2))
    print(json.dumps({"reader": reader, "writer": writer}))


main()
