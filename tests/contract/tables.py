"""The whole database, to compare it with itself."""

from django.apps import apps

Rows = dict[str, list[tuple[object, ...]]]


def everything() -> Rows:
    """Every row of every table."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }
