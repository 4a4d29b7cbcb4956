from django.apps import AppConfig
from typing_extensions import override


class ChatsConfig(AppConfig):
    name = "chats"

    @override
    def ready(self) -> None:
        from chats import devices  # noqa: F401, PLC0415  # importing connects its receiver
