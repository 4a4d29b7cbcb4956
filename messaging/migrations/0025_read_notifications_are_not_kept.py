"""Read notifications of ordinary messages are deleted: see decision 0047.

What they told follows from the first message of which each participant was notified.
"""

from typing import Final

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

_BATCH: Final = 10_000

# Who joined later may have marked an earlier message unread: its notification came after
# the first one of the message, that of the others. Nobody was notified of what is imported.
_NOTIFIED_FROM: Final = """
UPDATE messaging_participant SET notified_from = COALESCE(
    (
        SELECT MIN(m.sequence) FROM messaging_notification n
        JOIN messaging_message m ON m.id = n.message_id
        WHERE n.conversation_id = messaging_participant.conversation_id
        AND n.user_id = messaging_participant.user_id AND m.external_id IS NULL
        AND (messaging_participant.joined_position = 0 OR NOT EXISTS (
            SELECT 1 FROM messaging_notification earlier
            WHERE earlier.message_id = n.message_id AND earlier.position < n.position
        ))
    ),
    (
        SELECT c.last_sequence + 1 FROM messaging_conversation c
        WHERE c.id = messaging_participant.conversation_id
    )
) WHERE id > %s AND id <= %s
"""


def note_first_notifications(
    apps: Apps, schema_editor: BaseDatabaseSchemaEditor
) -> None:
    participants = apps.get_model("messaging", "Participant").objects
    last = participants.order_by("-pk").values_list("pk", flat=True).first() or 0
    with schema_editor.connection.cursor() as cursor:
        for first in range(0, last, _BATCH):
            cursor.execute(_NOTIFIED_FROM, [first, first + _BATCH])


def delete_read(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    notifications = apps.get_model("messaging", "Notification").objects
    read = notifications.filter(is_read=True, kind="message")
    last = notifications.order_by("-pk").values_list("pk", flat=True).first() or 0
    for first in range(0, last, _BATCH):
        batch = read.filter(pk__gt=first, pk__lte=first + _BATCH)
        batch._raw_delete(batch.db)


class Migration(migrations.Migration):
    # Each batch is a transaction of its own: the server may still be used by others.
    atomic = False

    dependencies = [("messaging", "0024_events_are_numbered_later")]
    operations = [
        migrations.AddField(
            model_name="participant",
            name="notified_from",
            field=models.PositiveBigIntegerField(default=1, editable=False),
        ),
        migrations.RunPython(note_first_notifications, migrations.RunPython.noop),
        migrations.RunPython(delete_read, migrations.RunPython.noop),
        migrations.RemoveIndex(
            model_name="notification", name="notification_newest"
        ),
        migrations.RemoveIndex(model_name="notification", name="notification_inbox"),
        migrations.RemoveIndex(
            model_name="notification", name="notification_pending"
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                fields=["user", "-message"], name="notification_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("is_read", False)),
                fields=["user", "-message", "is_read"],
                name="notification_inbox",
            ),
        ),
    ]
