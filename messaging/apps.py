from django.apps import AppConfig
from typing_extensions import override


class MessagingConfig(AppConfig):
    name = "messaging"

    @override
    def ready(self) -> None:
        from messaging import signals  # noqa: F401, PLC0415  # importing connects them
