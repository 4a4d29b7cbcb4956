from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_BATCH = 5000


def forget_external_ids(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove external ids from tombstones of earlier versions, which kept them.

    Each statement changes a bounded number of rows.
    """
    messages = apps.get_model("messaging", "Message")._base_manager
    tombstones = messages.filter(sender__isnull=True, external_id__isnull=False)
    in_order = tombstones.order_by("pk").values_list("pk", flat=True)
    while ids := list(in_order[:_BATCH]):
        tombstones.filter(pk__lte=ids[-1]).update(external_id=None)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0006_name_entries")]
    operations = [
        migrations.RunPython(forget_external_ids, migrations.RunPython.noop)
    ]
