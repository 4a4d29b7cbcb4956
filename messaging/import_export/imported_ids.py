"""Recognises the messages of a file: imported before (even if deleted since), or exported here."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Final

from messaging.database import batches
from messaging.ids import ConversationId, MessageId
from messaging.import_export.lines import Line
from messaging.models import ImportedMessage, Installation, Message

# Below the number of parameters that every SQLite takes.
_BATCH: Final = 500

# The ids that `exporting` gives to messages that no import has named.
_EXPORTED_ID: Final = re.compile(r"parley-(?:\d+-)?(\d{1,18})", re.ASCII)


def imported_before(names: Iterable[str]) -> dict[str, MessageId]:
    """The ids of messages that were imported before, by their ids in files; deleted ones too."""
    key = _key()
    found: dict[str, MessageId] = {}
    for batch in batches(dict.fromkeys(names), _BATCH):
        digests = {digest(key, name): name for name in batch}
        rows = ImportedMessage.objects.filter(digest__in=digests)
        for known, message_id in rows.values_list("digest", "message_id"):
            found[digests[known]] = MessageId(message_id)
    return found


def exported_here(lines: Iterable[Line]) -> dict[str, MessageId]:
    """The ids of messages that an export of this installation named by number.

    Another installation may have exported the same number: a message is the same only
    if its conversation and its time are the same.
    """
    numbered = {
        int(match[1]): line
        for line in lines
        if (match := _EXPORTED_ID.fullmatch(line.id)) is not None
    }
    rows = Message.objects.filter(pk__in=list(numbered), external_id__isnull=True)
    return {
        numbered[pk].id: MessageId(pk)
        for pk, conversation, timestamp in rows.values_list(
            "pk", "conversation__external_id", "timestamp"
        )
        if conversation == numbered[pk].conversation
        and timestamp == numbered[pk].timestamp
    }


def remember_imported(
    messages: Mapping[str, MessageId], *, conversation_id: ConversationId
) -> None:
    """Record the file ids of new messages, in the transaction that stores the messages."""
    key = _key()
    ImportedMessage.objects.bulk_create(
        ImportedMessage(
            digest=digest(key, name),
            conversation_id=conversation_id,
            message_id=message_id,
        )
        for name, message_id in messages.items()
    )


def digest(key: str, name: str) -> str:
    """The HMAC of a file id, with a key of this installation.

    So nobody can tell from two databases that both imported the same message.
    """
    # 128 bits are enough to tell ids apart.
    return hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()[:32]


def _key() -> str:
    return Installation.objects.values_list("import_key", flat=True).get()
