"""From which message on each participant was notified, while their notifications still tell."""

from typing import Final

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

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
)
"""


def note_first_notifications(
    apps: Apps, schema_editor: BaseDatabaseSchemaEditor
) -> None:
    schema_editor.execute(_NOTIFIED_FROM)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0024_events_are_numbered_later")]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="notified_from",
            field=models.PositiveBigIntegerField(default=1, editable=False),
        ),
        migrations.RunPython(note_first_notifications, migrations.RunPython.noop),
    ]
