"""An index for tree walks replaces the index of the parent alone.

A new table records which messages were imported, so that a later import adds only new
ones.
"""

import hashlib
import hmac

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import messaging.models.installation

_BATCH = 2000


def drop_parent_index(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the index by its columns: altering the field would copy the whole table on SQLite."""
    table = apps.get_model("messaging", "Message")._meta.db_table
    with schema_editor.connection.cursor() as cursor:
        found = schema_editor.connection.introspection.get_constraints(cursor, table)
    for name, each in found.items():
        if each["index"] and each["columns"] == ["parent_message_id"]:
            schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


def restore_parent_index(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    model = apps.get_model("messaging", "Message")
    field = model._meta.get_field("parent_message")
    schema_editor.execute(schema_editor._create_index_sql(model, fields=[field]))


def remember_imported(
    apps: Apps,
    schema_editor: BaseDatabaseSchemaEditor,  # noqa: ARG001  # as Django calls it
) -> None:
    """Record the imported messages that still exist; those deleted before are not known
    any more.
    """
    named = apps.get_model("messaging", "Message")._default_manager.filter(
        external_id__isnull=False
    )
    rows = named.order_by("pk").values_list("external_id", "pk")
    installation = apps.get_model("messaging", "Installation")._default_manager.first()
    if installation is None:
        return
    key = installation.import_key.encode()
    model = apps.get_model("messaging", "ImportedMessage")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        model._default_manager.bulk_create(
            model(
                digest=hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:32],
                message_id=pk,
            )
            for name, pk in batch
        )
        last = batch[-1][1]


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0004_exports_and_quotas"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["parent_message", "sequence"], name="message_replies"
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="message",
                    name="parent_message",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="replies",
                        to="messaging.message",
                    ),
                ),
            ],
            database_operations=[
                migrations.RunPython(drop_parent_index, restore_parent_index),
            ],
        ),
        migrations.CreateModel(
            name="ImportedMessage",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=32, primary_key=True, serialize=False),
                ),
                ("message_id", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="installation",
            name="import_key",
            field=models.CharField(
                default=messaging.models.installation.random_key,
                editable=False,
                max_length=32,
            ),
        ),
        migrations.RunPython(remember_imported, migrations.RunPython.noop),
    ]
