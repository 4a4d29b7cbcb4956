from django.db import models
from typing_extensions import override


class LimitCounter(models.Model):
    """How often something happened within one window of a limit.

    For installations without Redis. `key` is a keyed hash of limit, window and
    whom it is counted for: no name and no address can be read from it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField()
    # Indexed for clearing away the windows that are over.
    expires_at = models.DateTimeField(db_index=True)

    @override
    def __str__(self) -> str:
        return f"{self.used} until {self.expires_at}"
