"""An event gets an id in its transaction, and its position afterwards.

What was its position is its id as well: rows that carry one stay as they are.
"""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def number_events(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    event = apps.get_model("messaging", "Event")
    event.objects.update(position=models.F("id"))


def begin_ids_after_the_clock(
    apps: Apps, schema_editor: BaseDatabaseSchemaEditor
) -> None:
    """Also after events that were cleared, whose ids other rows still carry."""
    # None on a database that is just being made.
    installation = apps.get_model("messaging", "Installation").objects.first()
    clock = 0 if installation is None else installation.clock
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "SELECT setval(pg_get_serial_sequence('messaging_event', 'id'), %s, false)",
            [clock + 1],
        )


def same(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Back: ids become positions again, and the clock is where they end.

    Events without a position would be out of order: number them before.
    """
    event = apps.get_model("messaging", "Event")
    last = event.objects.aggregate(last=models.Max("id"))["last"]
    installation = apps.get_model("messaging", "Installation").objects
    if last is not None:
        installation.filter(clock__lt=last).update(clock=last)


INDEXES = (
    models.Index(fields=["conversation_id", "position"], name="event_in_conversation"),
    models.Index(
        fields=["recipient", "position"],
        name="event_for_recipient",
        condition=models.Q(recipient__isnull=False),
    ),
    models.Index(
        fields=["position"],
        name="event_of_name",
        condition=models.Q(type="user.updated"),
    ),
    models.Index(
        fields=["user", "position"],
        name="event_about_user",
        condition=models.Q(user__isnull=False),
    ),
)


class Migration(migrations.Migration):

    dependencies = [("messaging", "0023_pairs_are_indexed_once")]

    operations = [
        *(
            migrations.RemoveIndex(model_name="event", name=index.name)
            for index in INDEXES
        ),
        migrations.RenameField("event", "position", "id"),
        migrations.AlterField(
            "event", "id", models.BigAutoField(primary_key=True, serialize=False)
        ),
        migrations.AddField(
            "event", "position", models.PositiveBigIntegerField(null=True)
        ),
        migrations.RunPython(number_events, migrations.RunPython.noop),
        migrations.RunPython(begin_ids_after_the_clock, same),
        migrations.AlterField(
            "event", "position", models.PositiveBigIntegerField(null=True, unique=True)
        ),
        *(
            migrations.AddIndex(model_name="event", index=index)
            for index in (
                models.Index(
                    fields=["id"],
                    name="event_waiting",
                    condition=models.Q(position__isnull=True),
                ),
                *INDEXES,
            )
        ),
    ]
