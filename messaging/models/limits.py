from django.db import models
from typing_extensions import override


class LimitCounter(models.Model):
    """The count of one window of a limit, for installations without Redis.

    `key` is a keyed hash of the limit, the window, and the user or address: neither can
    be read from it.
    """

    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField()
    # Indexed, to find windows that are over.
    expires_at = models.DateTimeField(db_index=True)

    @override
    def __str__(self) -> str:
        return f"{self.used} until {self.expires_at}"
