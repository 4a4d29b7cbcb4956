from django.db import models
from typing_extensions import override


class ImportedMessage(models.Model):
    """Records that a message of a file was imported, so that it is not imported again.

    The row outlives the message: a later import does not bring back what was deleted
    here. It holds nothing of the message's content or sender.
    """

    # The first half of the HMAC-SHA-256 of the message's id in files.
    digest = models.CharField(max_length=32, primary_key=True)
    # Plain numbers: the message, and its conversation, may be deleted. Null if the message
    # was already gone when the column came.
    conversation_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField()

    @override
    def __str__(self) -> str:
        return f"imported message {self.message_id}"
