from django.apps import AppConfig


class PartitionsConfig(AppConfig):
    """Has no models: its migrations change the tables of messaging, for which they look the same."""

    name = "config.postgresql.partitions"
    # Django migrates apps in the order of their labels: this one after messaging.
    label = "partitions"
