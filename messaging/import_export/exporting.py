"""Exports all conversations, in the shape that import reads."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from django.db.models import Exists, OuterRef

from messaging.database import batches
from messaging.import_export.files import Advance
from messaging.import_export.lines import Line, format_line
from messaging.models import Conversation, Message, User

_CHUNK: Final = 2000
# Ids that are looked up at once: below the number of parameters that every SQLite takes.
_LOOKED_UP: Final = 500


@dataclass(frozen=True, slots=True)
class ExportSummary:
    conversations: int
    messages: int


@dataclass(frozen=True, slots=True)
class _Names:
    """Names for conversations, messages and users that no import has named."""

    conversation_prefix: str
    message_prefix: str
    # By username: other names for users whose username is the imported name of another
    # user.
    senders: Mapping[str, str]

    def conversation(self, pk: int, external_id: str | None) -> str:
        return external_id or f"{self.conversation_prefix}{pk}"

    def message(self, pk: int, external_id: str | None) -> str:
        return external_id or f"{self.message_prefix}{pk}"

    def parent(self, pk: int | None, external_id: str | None) -> str | None:
        return None if pk is None else self.message(pk, external_id)

    def sender(self, username: str | None, external_id: str | None) -> str | None:
        if username is None or external_id is not None:
            return external_id
        return self.senders.get(username, username)


def export_messages(
    write: Callable[[bytes], object], *, advance: Advance
) -> ExportSummary:
    """Write all messages, conversation by conversation, in the order of their sequences.

    One streamed query reads one snapshot: a message that is deleted meanwhile cannot
    leave a reply without its parent.
    """
    conversations = messages = 0
    last_conversation = None
    for line in _lines(_names()):
        write(format_line(line))
        messages += 1
        conversations += line.conversation != last_conversation
        last_conversation = line.conversation
        advance(1)
    return ExportSummary(conversations, messages)


def _lines(names: _Names) -> Iterator[Line]:
    rows = Message.objects.order_by("conversation_id", "sequence").values_list(
        "pk",
        "external_id",
        "conversation_id",
        "conversation__external_id",
        "sender__username",
        "sender__external_id",
        "timestamp",
        "content",
        "parent_message_id",
        "parent_message__external_id",
    )
    for (
        message_id,
        message_name,
        conversation_id,
        conversation_name,
        username,
        sender_name,
        timestamp,
        content,
        parent_id,
        parent_name,
    ) in rows.iterator(chunk_size=_CHUNK):
        yield Line(
            id=names.message(message_id, message_name),
            conversation=names.conversation(conversation_id, conversation_name),
            sender=names.sender(username, sender_name),
            timestamp=timestamp,
            content=content,
            parent_message=names.parent(parent_id, parent_name),
        )


def _names() -> _Names:
    return _Names(
        conversation_prefix=_free_prefix(Conversation),
        message_prefix=_free_prefix(Message),
        senders=_distinct_senders(),
    )


def _free_prefix(model: type[Conversation] | type[Message]) -> str:
    """`parley-`, or with a number if `parley-` and an id here would make an imported name."""
    for number in count(1):
        prefix = "parley-" if number == 1 else f"parley-{number}-"
        if not _is_taken(model, prefix):
            return prefix
    raise AssertionError  # count() never ends


def _is_taken(model: type[Conversation] | type[Message], prefix: str) -> bool:
    """Whether an imported name is what a row without one would be called.

    The imported names are read once: those of messages have no index over all
    conversations, in which the name of each row could be looked up.
    """
    unnamed = model._default_manager.filter(external_id__isnull=True)
    named = model._default_manager.filter(external_id__startswith=prefix)
    names = named.values_list("external_id", flat=True).iterator(chunk_size=_CHUNK)
    number = re.compile(rf"{prefix}([1-9]\d{{0,17}})", re.ASCII)
    return any(
        unnamed.filter(
            pk__in=[
                int(match[1])
                for name in batch
                if (match := number.fullmatch(name or ""))
            ]
        ).exists()
        for batch in batches(names, _LOOKED_UP)
    )


def _distinct_senders() -> Mapping[str, str]:
    """Other names for users whose username is the imported name of another user, by username."""
    native = User.objects.filter(external_id__isnull=True)
    imported = User.objects.filter(external_id=OuterRef("username"))
    given: dict[str, str] = {}
    for username in native.filter(Exists(imported)).values_list("username", flat=True):
        given[username] = _distinct(username)
    return given


def _distinct(username: str) -> str:
    for number in count(2):
        name = f"{username}-{number}"
        if not (
            User.objects.filter(external_id=name).exists()
            or User.objects.filter(username_key=name.lower()).exists()
        ):
            return name
    raise AssertionError  # count() never ends
