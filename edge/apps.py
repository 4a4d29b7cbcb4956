from django.apps import AppConfig
from typing_extensions import override


class EdgeConfig(AppConfig):
    name = "edge"

    @override
    def ready(self) -> None:
        # The import connects the module's signal receiver.
        from edge import cached_pages  # noqa: F401, PLC0415
