"""Messages: sending, editing, deleting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypedDict

from django.db import transaction
from django.db.models import F, QuerySet
from django_cte import CTE, with_cte

from messaging.access import (
    Membership,
    OwnMessage,
    locked_for,
    message_deleted,
)
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
    User,
)
from messaging.models.events import EventType
from messaging.services.blocks import require_deliverable
from messaging.services.conversations import open_direct
from messaging.services.events import record_events
from messaging.services.notifications import lock_around, stored_message
from messaging.services.timelines import messages_by_id
from messaging.shown import ShownMessage
from messaging.statements import Parameter
from messaging.text import clean_content
from messaging.writes import Update

# Below the number of parameters that every SQLite takes.
_DELETE_BATCH: Final = 500

# The content versions that a change may be made to.
Versions = frozenset[int]


class _Link(TypedDict):
    id: int
    parent_message_id: int | None
    sequence: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a new message goes."""

    conversation: Conversation
    receiver_id: int | None
    parent: Message | None


def _conversation() -> QuerySet[Conversation]:
    return Conversation.objects.filter(pk=Parameter("conversation"))


# By a new message, and by a change to one.
_ADVANCED: Final = Update(
    lambda: (
        _conversation(),
        {
            "last_sequence": Parameter("sequence"),
            "version": F("version") + 1,
            "last_activity_at": Parameter("activity"),
        },
    )
)
_CHANGED: Final = Update(lambda: (_conversation(), {"version": F("version") + 1}))
_REPLIED_TO: Final = Update(
    lambda: (
        Message.objects.filter(pk=Parameter("message")),
        {"reply_count": F("reply_count") + 1},
    )
)


def send_message(
    *, membership: Membership, content: str, parent_id: MessageId | None
) -> ShownMessage:
    """Send to everyone in a conversation, as a reply if it has a parent.

    Raises:
        InvalidContentError
        UnknownParentError, DeletedMessageError: the parent cannot be replied to.
        ConversationNotFoundError: the sender was removed meanwhile.
    """
    message = Message.objects.create(
        conversation_id=membership.conversation_id,
        sender_id=membership.user_id,
        parent_message_id=parent_id,
        content=content,
    )
    return _for_display(message)


def send_direct_message(
    *, sender: User, receiver: User, content: str, parent_id: MessageId | None
) -> ShownMessage:
    """Send to one person, opening their conversation with the first message.

    Raises:
        InvalidContentError, SelfMessageError
        UnknownParentError, DeletedMessageError: the parent cannot be replied to.
    """
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
    """Replace the content, if it is at one of these versions; `record_edit` keeps it.

    Raises:
        InvalidContentError
        StaleVersionError: someone was faster.
        MessageNotFoundError, DeletedMessageError: deleted meanwhile, or the sender
            was removed.
    """
    with transaction.atomic():
        if versions is not None:
            lock_around(message, participant=_sender_id(message))
            _require_version(stored_message(message), versions)
        message.content = content
        message.save(update_fields=["content"])
    return message


def delete_message(*, message: OwnMessage, versions: Versions | None = None) -> None:
    """Delete a message, if it is at one of these versions.

    Under surviving replies a tombstone stays in its place.

    Raises:
        StaleVersionError: someone was faster.
        MessageNotFoundError, DeletedMessageError: someone was faster, or the sender
            was removed.
    """
    with transaction.atomic():
        conversation = lock_around(message, participant=_sender_id(message))
        stored = stored_message(message)
        _require_version(stored, versions)
        links = _bury(stored) if stored.reply_count else _remove(stored)
        _CHANGED.run(conversation=conversation.pk)
        record_events([_deletion(conversation, link) for link in links])


def place_message(*, message: Message) -> None:
    """Give a message that is about to be inserted its conversation and sequence.

    For `pre_save`, within the transaction of `Message.save()`. The conversation
    stays locked until that ends: sequences are given in commit order.

    Raises:
        InvalidContentError, SelfMessageError, WrongReceiverError
        UnknownParentError, DeletedMessageError: the parent cannot be replied to.
        ConversationNotFoundError: the sender takes no part in the conversation.
    """
    message.content = clean_content(message.content)
    place = _place_of(message)
    message.conversation = place.conversation
    message.receiver_id = place.receiver_id
    message.parent_message = place.parent
    message.sequence = place.conversation.last_sequence + 1
    # Whatever the caller set: they follow from what is yet to happen.
    message.read = message.edited = False
    message.content_version = 1
    message.reply_count = 0
    _ADVANCED.run(
        conversation=place.conversation.pk,
        sequence=message.sequence,
        activity=max(place.conversation.last_activity_at, message.timestamp),
    )
    if place.parent is not None:
        _REPLIED_TO.run(message=place.parent.pk)


def record_edit(*, message: Message) -> MessageHistory | None:
    """Keep the stored content of a message that is about to be overwritten.

    Runs before the new content reaches the database: the old one is read back
    from the row, because the instance in memory already holds the new.

    Returns:
        The new history entry, or None when the content did not change.

    Raises:
        InvalidContentError
        MessageNotFoundError, DeletedMessageError: deleted meanwhile, or the sender
            was removed.
    """
    message.content = clean_content(message.content)
    conversation = lock_around(message, participant=_sender_id(message))
    stored = stored_message(message)
    message.edited = stored.edited
    message.content_version = stored.content_version
    if message.content == stored.content:
        return None
    message.edited = True
    message.content_version += 1
    _require_deliverable(conversation, _sender_id(stored))
    _CHANGED.run(conversation=conversation.pk)
    position = record_events(
        [
            Event(
                type=EventType.MESSAGE_EDITED,
                conversation_id=conversation.pk,
                message_id=message.pk,
            )
        ]
    )
    return MessageHistory.objects.create(
        message=stored,
        version=stored.content_version,
        old_content=stored.content,
        position=position,
        edited_by_id=_sender_id(stored),
    )


def _require_version(message: Message, versions: Versions | None) -> None:
    if versions is not None and message.content_version not in versions:
        raise StaleVersionError(
            "The message was edited meanwhile.",
            message_id=MessageId(message.pk),
            current=message.content_version,
        )


def _for_display(message: Message) -> ShownMessage:
    (shown,) = messages_by_id(ids=[message.pk])
    return shown


def _place_of(message: Message) -> _Place:
    conversation = locked_for(
        participant=_sender_id(message), conversation_id=_conversation_id(message)
    )
    _require_deliverable(conversation, _sender_id(message))
    return _Place(
        conversation,
        _receiver_in(conversation, message),
        _parent_in(conversation, message.parent_message_id),
    )


def _require_deliverable(conversation: Conversation, sender: UserId) -> None:
    """In groups a block stands between nobody."""
    pair = {conversation.low_user_id, conversation.high_user_id} - {None, sender}
    if conversation.is_direct:
        require_deliverable(
            sender=sender, receivers=frozenset(person for person in pair if person)
        )


def _sender_id(message: Message) -> UserId:
    if message.sender_id is None:
        raise BypassError("A message needs a sender.")
    return UserId(message.sender_id)


def _conversation_id(message: Message) -> ConversationId:
    """The one that is named, or that of sender and receiver, or the parent's."""
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
    """The other person of a direct conversation, None in a group."""
    pair = {conversation.low_user_id, conversation.high_user_id} - {message.sender_id}
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


def _deletion(conversation: Conversation, link: _Link) -> Event:
    return Event(
        type=EventType.MESSAGE_DELETED,
        conversation_id=conversation.pk,
        message_id=link["id"],
        first_sequence=link["sequence"],
        last_sequence=link["sequence"],
    )


def _link(message: Message) -> _Link:
    return {
        "id": message.pk,
        "parent_message_id": message.parent_message_id,
        "sequence": message.sequence,
    }


def _bury(message: Message) -> list[_Link]:
    """Leave nothing of a message but its place above its replies."""
    message.history.all().delete()
    message.notifications.all().delete()
    Message.objects.filter(pk=message.pk).turn_into_tombstones()
    return [_link(message)]


def _remove(message: Message) -> list[_Link]:
    """Remove a message without replies, and the tombstones it was the last to need.

    Returns:
        What went, each with the parent it had.
    """
    message.history.all().delete()
    message.notifications.all().delete()
    links = [_link(message), *_needless_tombstones(message)]
    ids = [link["id"] for link in links]
    for start in range(0, len(ids), _DELETE_BATCH):
        rows = Message.objects.filter(pk__in=ids[start : start + _DELETE_BATCH])
        rows._raw_delete(rows.db)
    # The parent of the last that went, if any, has lost a reply.
    Message.objects.filter(pk=links[-1]["parent_message_id"] or 0).update(
        reply_count=F("reply_count") - 1
    )
    return links


def _needless_tombstones(message: Message) -> list[_Link]:
    """Tombstones above a message that have no other reply, the nearest first.

    One query for a chain of any length, climbing by a recursive expression.
    """
    lone = Message.objects.filter(sender__isnull=True, reply_count=1)

    def climb(chain: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first = lone.filter(replies=message)
        above = chain.join(lone, id=chain.col.parent_message_id)
        return first.values("id", "parent_message_id", "sequence").union(
            above.values("id", "parent_message_id", "sequence"), all=True
        )

    chain = CTE.recursive(climb)
    rows: QuerySet[Message, _Link] = with_cte(chain, select=chain.queryset())
    # A parent comes before its replies.
    return sorted(rows, key=lambda link: -link["sequence"])
