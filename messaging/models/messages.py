from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.base import ModelBase
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from typing_extensions import override

from messaging.errors import BypassError
from messaging.ids import ConversationId, UserId
from messaging.models.conversations import Conversation
from messaging.models.guarded import (
    GuardedModel,
    GuardedQuerySet,
    UnalterableQuerySet,
    UndeletableModel,
)
from messaging.models.users import User
from messaging.projections import MessageProjection, preview
from messaging.unit_of_work import unit_of_work

CONTENT_MAX_LENGTH: Final = 5000


# The values of a tombstone: nothing of the message is left but its position.
TOMBSTONE: Final[Mapping[str, object]] = MappingProxyType(
    {
        "content": "",
        "sender": None,
        "receiver": None,
        "read": True,
        "edited": False,
        "content_version": 1,
        # It may contain the sender's name: imports take it from files.
        "external_id": None,
    }
)


class MessageQuerySet(UnalterableQuerySet["Message"]):
    def for_display(self) -> "MessageQuerySet":
        # No other columns of users: the join would load the password hashes.
        return self.select_related("sender", "receiver").only(
            *MessageProjection.columns()
        )

    def in_conversation(self, conversation_id: ConversationId) -> "MessageQuerySet":
        return self.filter(conversation=conversation_id)

    def readable_by(self, user_id: UserId) -> "MessageQuerySet":
        return self.filter(conversation__participants__user=user_id)

    def unread_for(self, user: "User | UserId") -> "MessageQuerySet":
        return (
            self.filter(notifications__user=user, notifications__is_read=False)
            # By the notification, whose index has them in this order.
            .annotate(place=F("notifications__message"))
            .order_by("-place")
        )


class UnreadMessagesManager(models.Manager["Message"]):
    """The unread messages of a user, with only the columns that the inbox shows."""

    @override
    def get_queryset(self) -> MessageQuerySet:
        return MessageQuerySet(self.model, using=self._db)

    def for_user(self, user: User | UserId) -> MessageQuerySet:
        """The unread messages of a user, newest first; one query."""
        return self.get_queryset().unread_for(user).for_display()


class Message(UndeletableModel):
    """A message, or the tombstone of a message that was deleted and has replies.

    `Message.objects.create(sender=…, receiver=…, content=…)` is enough: receivers of
    its signals open the conversation, number the message, keep the old content of an
    edit, and notify.
    """

    # The fields of a stored message that `save()` may change. All others are derived
    # from other rows, and a stale instance must not write them back.
    EDITABLE_FIELDS: Final = frozenset({"content", "edited", "content_version"})

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="messages",
        # No index of its own: the unique one below begins with this column.
        db_index=False,
    )
    # Assigned under the conversation's lock: sequences are in commit order.
    sequence = models.PositiveBigIntegerField(editable=False)
    # Null in a tombstone. Sender and receiver have indexes together with the id, below.
    sender = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="sent_messages",
        db_index=False,
    )
    # The other person of a direct conversation, null in a group.
    receiver = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="received_messages",
        db_index=False,
    )
    content = models.TextField(blank=True)
    timestamp = models.DateTimeField(default=timezone.now)
    # True if no notification of the message is unread: see services/notifications.py.
    read = models.BooleanField(default=False, editable=False)
    edited = models.BooleanField(default=False, editable=False)
    # The version of the present content: 1, and one more with each edit.
    content_version = models.PositiveIntegerField(default=1, editable=False)
    # Indexed together with `sequence`, below.
    parent_message = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="replies",
        db_index=False,
    )
    # The number of direct replies, tombstones included. Stored, since counting would
    # make a page of 50 messages cost as much as all their replies.
    reply_count = models.PositiveIntegerField(default=0, editable=False)
    # The id in the file of an import. Unique within the conversation, below.
    external_id = models.CharField(
        max_length=255, null=True, blank=True, editable=False
    )

    objects = MessageQuerySet.as_manager()
    unread = UnreadMessagesManager()

    # The content as last read from or written to the database; None if it was not
    # loaded.
    _stored_content: str | None = None

    class Meta:
        indexes = (
            # For deleting and exporting accounts; an export reads by ascending id.
            models.Index(name="message_sent", fields=["sender", "id"]),
            # Without the messages of groups, which have no receiver.
            models.Index(
                name="message_received",
                fields=["receiver", "id"],
                condition=Q(receiver__isnull=False),
            ),
            # For tree walks, which step from a message to its next reply without
            # reading the others.
            models.Index(name="message_replies", fields=["parent_message", "sequence"]),
        )
        constraints = (
            # Its index is also the order in which a conversation is read, page by page.
            models.UniqueConstraint(
                name="message_sequence_once", fields=["conversation", "sequence"]
            ),
            # Its index holds imported messages alone.
            models.UniqueConstraint(
                name="message_external_id_once",
                fields=["conversation", "external_id"],
                condition=Q(external_id__isnull=False),
            ),
            models.CheckConstraint(
                name="message_sequence_from_one", condition=Q(sequence__gte=1)
            ),
            models.CheckConstraint(
                name="message_is_whole_or_tombstone",
                condition=(
                    Q(sender__isnull=True, receiver__isnull=True, content="")
                    | (
                        Q(sender__isnull=False)
                        & Q(GreaterThanOrEqual(Length("content"), 1))
                        & Q(LessThanOrEqual(Length("content"), CONTENT_MAX_LENGTH))
                    )
                ),
            ),
        )

    @override
    def __str__(self) -> str:
        return self.content_preview

    @override
    def save(
        self,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Send a new message, or edit a stored one.

        Without `update_fields`, the content is written only if it was changed since it
        was read: otherwise somebody else's edit would be overwritten.

        The transaction includes the signals: Django sends `pre_save` before it opens
        one, and a save that fails must not leave a history entry.

        Raises:
            BypassError: `update_fields` names a derived field.
        """
        with unit_of_work(using=using):
            super().save(
                # Force an insert: a new instance with an existing id would overwrite
                # that message.
                force_insert=force_insert or self._state.adding,
                force_update=force_update,
                using=using,
                update_fields=(
                    None if self._state.adding else self._edit_of(update_fields)
                ),
            )
        self.note_stored()

    @classmethod
    @override
    def from_db(  # type: ignore[override]  # the stubs know a later Django's argument
        cls, db: str | None, field_names: Collection[str], values: Collection[object]
    ) -> "Message":
        message = super().from_db(db, field_names, values)
        message.note_stored()
        return message

    @override
    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: QuerySet["Message"] | None = None,
    ) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        self.note_stored()

    @property
    def deleted(self) -> bool:
        """Whether this is a tombstone."""
        return self.sender_id is None

    @property
    def content_preview(self) -> str:
        return preview(self.content)

    def projection(self) -> MessageProjection:
        """The message's projection; without a query if it was loaded with `for_display()`."""
        return MessageProjection.from_instance(self)

    def _known_content(self) -> str | None:
        """The content; None if it was not loaded."""
        content: str | None = self.__dict__.get("content")
        return content

    def note_stored(self) -> None:
        """Remember the content as it is in the database, to detect later whether it was
        changed.
        """
        self._stored_content = self._known_content()

    def _edit_of(self, update_fields: Iterable[str] | None) -> frozenset[str]:
        if update_fields is None:
            changed = self._known_content() != self._stored_content
            return self.EDITABLE_FIELDS if changed else frozenset()
        named = frozenset(update_fields)
        # `update_or_create()` names the timestamp along with the given fields.
        if derived := named - self.EDITABLE_FIELDS - {"timestamp"}:
            raise BypassError(
                f"{', '.join(sorted(derived))} of a message cannot be saved: "
                "it follows from its conversation, replies and notifications."
            )
        return self.EDITABLE_FIELDS if "content" in named else frozenset()


class MessageHistoryQuerySet(GuardedQuerySet["MessageHistory"]):
    """Guarded: only a `Change` writes these rows."""


class MessageHistory(GuardedModel):
    """The content that an edit replaced."""

    # No index of its own: the unique one below begins with this column.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="history", db_index=False
    )
    # The message's conversation, so that the table can be partitioned as messages can.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+"
    )
    # 1 for the original; assigned under the conversation's lock.
    version = models.PositiveIntegerField(editable=False)
    old_content = models.TextField()
    # The id of the event of the edit that replaced it: participants who joined later do
    # not see it. 0 if the edit was imported.
    position = models.PositiveBigIntegerField(default=0, editable=False)
    # The edit that replaced this content.
    edited_at = models.DateTimeField(default=timezone.now)
    edited_by = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="edits"
    )

    objects = MessageHistoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "message histories"
        constraints = (
            models.UniqueConstraint(
                name="history_version_once", fields=["message", "version"]
            ),
        )

    @override
    def __str__(self) -> str:
        return f"version {self.version} of {self.message_id}"
