from django.db import models
from typing_extensions import override

from messaging.models.users import User


class ExportLease(models.Model):
    """The lease of a running export: over all processes, a user has one export at a time.

    It lasts a short time and is renewed while the export runs, so that it expires soon
    after its process is killed.
    """

    user = models.OneToOneField(
        User, on_delete=models.DO_NOTHING, primary_key=True, related_name="+"
    )
    # Random: after its lease expired, an export must not renew or release another
    # export's lease.
    holder = models.CharField(max_length=32)
    expires_at = models.DateTimeField()

    @override
    def __str__(self) -> str:
        return f"export of {self.user_id} until {self.expires_at}"
