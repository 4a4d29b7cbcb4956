from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import Model, OuterRef, Subquery

_BATCH = 5000


def fill_conversations(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy the conversation of each message that a row refers to.

    Each batch is a transaction of its own, and is left out when a migration that was
    interrupted is run again.
    """
    messages = apps.get_model("messaging", "Message")._base_manager
    of_its_message = Subquery(
        messages.filter(pk=OuterRef("message_id")).values("conversation_id")
    )
    for name in ("MessageHistory", "ImportedMessage"):
        model = apps.get_model("messaging", name)
        for batch in _batches(model):
            batch.update(conversation_id=of_its_message)


def _batches(model: type[Model]):
    """The rows without a conversation, by their keys: the message of some may be gone."""
    rows = model._base_manager.filter(conversation_id=None).order_by("pk")
    remaining = rows
    while keys := list(remaining.values_list("pk", flat=True)[:_BATCH]):
        yield rows.order_by().filter(pk__gte=keys[0], pk__lte=keys[-1])
        remaining = rows.filter(pk__gt=keys[-1])


class Migration(migrations.Migration):
    # One transaction would grow with the table, and be lost whole by an interruption.
    atomic = False
    dependencies = [("messaging", "0018_conversations_of_versions")]
    operations = [
        migrations.RunPython(fill_conversations, migrations.RunPython.noop)
    ]
