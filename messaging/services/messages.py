"""Messages: sending, editing and deleting them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import F
from django.utils import timezone

from messaging.access import Membership, OwnMessage, message_deleted, message_not_found
from messaging.changes import Change, changing_conversation_of, open_change
from messaging.database import batches
from messaging.errors import (
    BypassError,
    StaleVersionError,
    UnknownParentError,
    WrongReceiverError,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import (
    Conversation,
    Event,
    Message,
    MessageHistory,
    Notification,
    User,
)
from messaging.models.events import EventType
from messaging.projections import MessageProjection
from messaging.services.blocks import require_deliverable
from messaging.services.conversations import open_direct
from messaging.services.message_lists import messages_by_id
from messaging.services.stored_messages import stored_message
from messaging.services.tombstones import PlacedRow, with_ancestors
from messaging.text import clean_content, trimmed_content

# Below the number of parameters that every SQLite takes.
_DELETE_BATCH: Final = 500

# The content versions that an edit or deletion may start from (optimistic locking).
Versions = frozenset[int]


@dataclass(frozen=True, slots=True)
class _Placement:
    """The conversation, receiver and parent of a new message."""

    conversation: Conversation
    receiver_id: int | None
    parent: Message | None


def send_message(
    *, membership: Membership, content: str, parent_id: MessageId | None
) -> MessageProjection:
    """Send a message to all participants, as a reply if it has a parent.

    Raises:
        InvalidContentError
        UnknownParentError, DeletedMessageError: nobody can reply to the parent.
        ConversationNotFoundError: the sender was removed meanwhile.
    """
    content = clean_content(content)
    conversation_id = ConversationId(membership.conversation_id)
    with open_change():
        # Signal receivers join this change: `place_message` before the insert, which
        # locks and checks the sender, and `notify_receivers` after.
        message = Message.objects.create(
            conversation_id=conversation_id,
            sender_id=membership.user_id,
            parent_message_id=parent_id,
            content=content,
        )
    return _for_display(message)


def send_direct_message(
    *, sender: User, receiver: User, content: str, parent_id: MessageId | None
) -> MessageProjection:
    """Send a message to one user; the first one creates their conversation.

    Raises:
        InvalidContentError, SelfMessageError
        UnknownParentError, DeletedMessageError: the parent cannot be replied to.
    """
    content = clean_content(content)
    with open_change():
        # Signal receivers join, as in `send_message`; `place_message` also opens the
        # conversation.
        message = Message.objects.create(
            sender=sender,
            receiver=receiver,
            parent_message_id=parent_id,
            content=content,
        )
    return _for_display(message)


def edit_message(
    *, message: OwnMessage, content: str, versions: Versions | None = None
) -> Message:
    """Replace a message's content; `record_edit` keeps the old one.

    Optimistic locking: with `versions`, the message must be at one of these versions.

    Raises:
        InvalidContentError
        StaleVersionError: the message is at another version.
        MessageNotFoundError, DeletedMessageError: it was deleted meanwhile, or the
            sender was removed.
    """
    content = clean_content(content)
    with changing_conversation_of(message, by=_sender_id(message)):
        if versions is not None:
            _require_version(stored_message(message), versions)
        message.content = content
        # The signal receiver `record_edit` joins this change.
        message.save(update_fields=["content"])
    return message


def delete_message(*, message: OwnMessage, versions: Versions | None = None) -> None:
    """Delete a message; with `versions`, it must be at one of these.

    If it has replies, a tombstone stays in its place.

    Raises:
        StaleVersionError: the message is at another version.
        MessageNotFoundError, DeletedMessageError: it was deleted meanwhile, or the
            sender was removed.
    """
    with changing_conversation_of(message, by=_sender_id(message)) as change:
        stored = stored_message(message)
        _require_version(stored, versions)
        deleted_rows = (
            # Replies refer to the row, so it has to stay.
            _make_tombstone(stored, change)
            if stored.reply_count
            else _delete_row(stored, change)
        )
        change.renew(stored.conversation_id)
        change.record(*(_deleted_event(stored, row) for row in deleted_rows))


def place_message(*, message: Message) -> None:
    """Set the conversation and the sequence of a message that is about to be inserted.

    For `pre_save`; it joins the change that `Message.save()` opens. The conversation
    stays locked until that change ends, so that sequences are in commit order.

    Raises:
        InvalidContentError, SelfMessageError, WrongReceiverError
        UnknownParentError, DeletedMessageError: the parent cannot be replied to.
        ConversationNotFoundError: the sender is no participant of the conversation.
    """
    message.content = clean_content(message.content)
    conversation_id = _conversation_id(message)
    with open_change() as change:
        # Whoever is notified later: read at once with the check that the sender is one.
        change.participants_of(conversation_id)
        change.require_participant(conversation_id, _sender_id(message))
        placement = _placement_of(message, change.conversation(conversation_id))
        message.conversation = placement.conversation
        message.receiver_id = placement.receiver_id
        message.parent_message = placement.parent
        # Nobody else can take this number: the conversation is locked.
        message.sequence = placement.conversation.last_sequence + 1
        # Derived fields: ignore whatever the caller set.
        message.read = message.edited = False
        message.content_version = 1
        message.reply_count = 0
        change.renew(
            placement.conversation.pk,
            last_sequence=message.sequence,
            last_activity_at=activity_at(placement.conversation, message.timestamp),
        )
        if placement.parent is not None:
            change.count_reply(placement.parent)


def activity_at(conversation: Conversation, timestamp: datetime) -> datetime:
    """The time of a conversation's last activity, after a message with this timestamp.

    It is never later than now: a timestamp in the future would keep the conversation at
    the top of every list until then.
    """
    now = timezone.now()
    return max(min(conversation.last_activity_at, now), min(timestamp, now))


def record_edit(*, message: Message) -> None:
    """Keep the stored content of a message that is about to be overwritten.

    Call it before the new content reaches the database: the old one is read from the
    row, since the instance in memory already holds the new one. If both are equal,
    nothing is stored and no event is logged.

    Raises:
        InvalidContentError
        MessageNotFoundError, DeletedMessageError: the message was deleted meanwhile, or
            the sender was removed.
    """
    message.content = clean_content(message.content)
    with changing_conversation_of(message, by=_sender_id(message)) as change:
        stored = stored_message(message)
        message.edited = stored.edited
        message.content_version = stored.content_version
        if message.content == trimmed_content(stored.content):
            # An earlier version of Parley may have stored other line endings: that is
            # no edit.
            message.content = stored.content
            return
        message.edited = True
        message.content_version += 1
        conversation = change.conversation(stored.conversation_id)
        _require_deliverable(conversation, _sender_id(stored))
        _keep_content(stored, change)


def _keep_content(stored: Message, change: Change) -> None:
    edited = Event(
        type=EventType.MESSAGE_EDITED,
        conversation_id=stored.conversation_id,
        message_id=stored.pk,
    )
    change.renew(stored.conversation_id)
    change.record(edited)
    kept = MessageHistory(
        message=stored,
        conversation_id=stored.conversation_id,
        version=stored.content_version,
        old_content=stored.content,
        edited_by_id=_sender_id(stored),
    )
    change.insert_with(edited, [kept])


def _require_version(message: Message, versions: Versions | None) -> None:
    if versions is not None and message.content_version not in versions:
        raise StaleVersionError(
            "The message was edited meanwhile.",
            message_id=MessageId(message.pk),
            current=message.content_version,
        )


def _for_display(message: Message) -> MessageProjection:
    found = messages_by_id(ids=[message.pk])
    if not found:
        # Somebody deleted it after the transaction that sent it.
        raise message_not_found()
    return found[0]


def _placement_of(message: Message, conversation: Conversation) -> _Placement:
    _require_deliverable(conversation, _sender_id(message))
    return _Placement(
        conversation,
        _receiver_in(conversation, message),
        _parent_in(conversation, message.parent_message_id),
    )


def _require_deliverable(conversation: Conversation, sender: UserId) -> None:
    """Refuse if there is a block. In groups, blocks do not stop messages."""
    pair = {conversation.low_user_id, conversation.high_user_id} - {None, sender}
    if conversation.is_direct:
        require_deliverable(
            sender=sender, receivers=frozenset(user_id for user_id in pair if user_id)
        )


def _sender_id(message: Message) -> UserId:
    if message.sender_id is None:
        raise BypassError("A message needs a sender.")
    return UserId(message.sender_id)


def _conversation_id(message: Message) -> ConversationId:
    """The message's own conversation, or that with its receiver, or its parent's."""
    if message.conversation_id:
        return ConversationId(message.conversation_id)
    if message.receiver_id is not None:
        opened = open_direct(one=_sender_id(message), other=UserId(message.receiver_id))
        return ConversationId(opened.conversation.pk)
    if message.parent_message_id is None:
        raise WrongReceiverError(
            "A message needs a conversation, a receiver or a message it replies to.",
            field="receiver",
        )
    parent = Message.objects.filter(pk=message.parent_message_id).first()
    if parent is None:
        raise _unknown_parent()
    return ConversationId(parent.conversation_id)


def _receiver_in(conversation: Conversation, message: Message) -> int | None:
    """The other user of a direct conversation; None in a group."""
    pair = {conversation.low_user_id, conversation.high_user_id} - {message.sender_id}
    # In a group both ids are None, so the set is {None}.
    receiver_id = pair.pop()
    if message.receiver_id not in {None, receiver_id}:
        raise WrongReceiverError(
            "The receiver is not the other person of the conversation.",
            field="receiver",
        )
    return receiver_id


def _parent_in(conversation: Conversation, parent_id: int | None) -> Message | None:
    if parent_id is None:
        return None
    parent = Message.objects.filter(pk=parent_id, conversation=conversation).first()
    if parent is None:
        raise _unknown_parent()
    if parent.deleted:
        raise message_deleted()
    return parent


def _unknown_parent() -> UnknownParentError:
    return UnknownParentError(
        "The conversation has no such message to reply to.", field="parent_message_id"
    )


def _deleted_event(message: Message, row: PlacedRow) -> Event:
    return Event(
        type=EventType.MESSAGE_DELETED,
        conversation_id=message.conversation_id,
        message_id=row["id"],
        first_sequence=row["sequence"],
        last_sequence=row["sequence"],
    )


def _deleted_row(message: Message) -> PlacedRow:
    return {
        "id": message.pk,
        "parent_message_id": message.parent_message_id,
        "sequence": message.sequence,
    }


def _make_tombstone(message: Message, change: Change) -> list[PlacedRow]:
    """Turn a message into a tombstone, to hold its replies."""
    _erase_attached(message, change)
    change.turn_into_tombstones(Message.objects.filter(pk=message.pk))
    return [_deleted_row(message)]


def _delete_row(message: Message, change: Change) -> list[PlacedRow]:
    """Delete a message without replies, and each tombstone above it that then has no reply.

    Returns:
        The deleted rows: the message, then each tombstone after its reply.
    """
    _erase_attached(message, change)
    deleted_rows = [_deleted_row(message), *_needless_tombstones(message)]
    for batch in batches((row["id"] for row in deleted_rows), _DELETE_BATCH):
        change.erase(Message.objects.filter(pk__in=batch))
    # The parent of the topmost deleted row has one reply less.
    parent = Message.objects.filter(pk=deleted_rows[-1]["parent_message_id"] or 0)
    change.update(parent, reply_count=F("reply_count") - 1)
    return deleted_rows


def _erase_attached(message: Message, change: Change) -> None:
    change.erase(MessageHistory.objects.filter(message=message))
    change.erase(Notification.objects.filter(message=message))


def _needless_tombstones(message: Message) -> list[PlacedRow]:
    """Tombstones above a message that have no other reply, the nearest first."""
    lone = Message.objects.filter(sender__isnull=True, reply_count=1)
    rows = with_ancestors(lone.filter(replies=message), among=lone)
    # A parent has a lower sequence than its replies.
    return sorted(rows, key=lambda row: -row["sequence"])
