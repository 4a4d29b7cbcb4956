"""PostgreSQL: drop the indexes that Django makes of unique text for `LIKE 'x%'`.

No query matches so, and each write would have to keep them. A later start makes none
(config/postgresql/schema.py), so there is nothing to bring back.
"""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# Only those of Django's names and tables: the schema may hold tables of others.
_PATTERN_INDEXES = """
SELECT indexname FROM pg_indexes
WHERE schemaname = current_schema() AND tablename = ANY(%s)
    AND right(indexname, 5) = '_like' AND indexdef LIKE '%%\\_pattern\\_ops)'
"""


def drop_pattern_indexes(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    tables = connection.introspection.django_table_names()
    with connection.cursor() as cursor:
        cursor.execute(_PATTERN_INDEXES, [tables])
        found = [name for (name,) in cursor.fetchall()]
    for name in found:
        schema_editor.execute(f"DROP INDEX {schema_editor.quote_name(name)}")


class Migration(migrations.Migration):
    dependencies = [("messaging", "0016_staff_and_superusers")]
    operations = [
        migrations.RunPython(drop_pattern_indexes, migrations.RunPython.noop)
    ]
