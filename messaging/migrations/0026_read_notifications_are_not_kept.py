"""Read notifications of ordinary messages are deleted: see decision 0047."""

from typing import Final

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_BATCH: Final = 10_000


def delete_read(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    notifications = apps.get_model("messaging", "Notification")._base_manager
    read = notifications.filter(is_read=True, kind="message")
    last = notifications.order_by("-pk").values_list("pk", flat=True).first() or 0
    for first in range(0, last, _BATCH):
        batch = read.filter(pk__gt=first, pk__lte=first + _BATCH)
        batch._raw_delete(batch.db)


class Migration(migrations.Migration):
    # One transaction would grow with the table, and be lost whole by an interruption.
    atomic = False
    dependencies = [("messaging", "0025_participants_are_notified_from")]
    operations = [migrations.RunPython(delete_read, migrations.RunPython.noop)]
