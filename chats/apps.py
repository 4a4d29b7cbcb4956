from django.apps import AppConfig
from typing_extensions import override


class ChatsConfig(AppConfig):
    name = "chats"

    @override
    def ready(self) -> None:
        # The import connects the module's signal receiver.
        from chats import devices  # noqa: F401, PLC0415
