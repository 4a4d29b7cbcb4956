"""Divides the tables into PARLEY_PARTITIONS parts each; going back makes them whole.

Every later migration of messaging runs on both forms: so this one names the first that it
can follow, and does not move with them.
"""

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from config.postgresql.partitions.tables import divide, unite


def divide_tables(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    divide(schema_editor.connection, parts=settings.PARLEY_PARTITIONS)


def unite_tables(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    unite(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("messaging", "0024_events_are_numbered_later")]
    operations = [migrations.RunPython(divide_tables, unite_tables)]
