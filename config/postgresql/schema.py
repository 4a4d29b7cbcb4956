"""Django's editor of PostgreSQL's schema, without the indexes that no query uses."""

from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.models import Field, Model


class SchemaEditor(DatabaseSchemaEditor):
    # Not in the stubs: so no `@override`.
    def _create_like_index_sql(
        self, model: type[Model], field: "Field[object, object]"
    ) -> None:
        """None: Django would index unique text twice, the second time for `LIKE 'x%'`."""
