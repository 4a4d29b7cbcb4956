"""All rows of all tables, to compare the database before and after."""

from django.apps import apps

from messaging.services.events import read_log

Rows = dict[str, list[tuple[object, ...]]]


def all_rows() -> Rows:
    """Every row of every table, once all events have their positions."""
    read_log()
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }
