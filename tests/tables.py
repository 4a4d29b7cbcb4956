"""All rows of all tables, to compare the database before and after."""

from django.apps import apps

Rows = dict[str, list[tuple[object, ...]]]


def all_rows() -> Rows:
    """Every row of every table."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }
