from collections.abc import Collection, Iterable
from typing import Final, NoReturn

from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.base import ModelBase
from django.db.models.expressions import Combinable
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from typing_extensions import override

from messaging.errors import BypassError
from messaging.ids import ConversationId, UserId
from messaging.models.conversations import Conversation
from messaging.models.users import User

CONTENT_MAX_LENGTH: Final = 5000
PREVIEW_LENGTH: Final = 60


def preview(content: str) -> str:
    """The first 60 characters, for lists."""
    if len(content) <= PREVIEW_LENGTH:
        return content
    return f"{content[: PREVIEW_LENGTH - 1]}…"


# What a message shows. Never more of a person: a join would load the password hash.
DISPLAYED_COLUMNS: Final = (
    "conversation",
    "sequence",
    "content",
    "timestamp",
    "read",
    "edited",
    "content_version",
    "parent_message",
    "reply_count",
    "sender__username",
    "sender__display_name",
    "receiver__username",
    "receiver__display_name",
)


class MessageQuerySet(QuerySet["Message"]):
    def for_display(self) -> "MessageQuerySet":
        return self.select_related("sender", "receiver").only(*DISPLAYED_COLUMNS)

    def in_conversation(self, conversation_id: ConversationId) -> "MessageQuerySet":
        return self.filter(conversation=conversation_id)

    def readable_by(self, user_id: UserId | Combinable) -> "MessageQuerySet":
        return self.filter(conversation__participants__user=user_id)

    def unread_for(self, user: "User | Combinable") -> "MessageQuerySet":
        return (
            self.filter(notifications__user=user, notifications__is_read=False)
            .annotate(position=F("notifications__position"))
            .order_by("-position")
        )

    def turn_into_tombstones(self) -> int:
        """Empty the rows, keeping their places in the trees."""
        return super().update(
            content="",
            sender=None,
            receiver=None,
            read=True,
            edited=False,
            content_version=1,
        )

    @override
    def update(self, **kwargs: object) -> int:
        """As ever, but never of the content: its history would be missing."""
        if "content" in kwargs:
            raise BypassError("Use messaging.services.messages.edit_message().")
        return super().update(**kwargs)

    @override
    def delete(self) -> NoReturn:
        raise BypassError("Use messaging.services.messages.delete_message().")

    @override
    def bulk_create(
        self,
        objs: Iterable["Message"],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> NoReturn:
        raise BypassError(
            "Bulk creation sends no signals; use Message.objects.create()."
        )


class UnreadMessagesManager(models.Manager["Message"]):
    """Messages somebody has not read, with just the columns an inbox shows."""

    @override
    def get_queryset(self) -> MessageQuerySet:
        return MessageQuerySet(self.model, using=self._db)

    def for_user(self, user: User | Combinable) -> MessageQuerySet:
        """What this person has not read yet, newest first; one query.

        Each message is annotated with `position`, its place in the inbox.
        """
        return self.get_queryset().unread_for(user).for_display()


class Message(models.Model):
    """A message, or the tombstone of one that was deleted under its replies.

    `Message.objects.create(sender=…, receiver=…, content=…)` is enough: the
    receivers of its signals open the conversation, number the message, keep the
    old content of an edit and notify.
    """

    # What `save()` may change once the row is there; all else follows from
    # other rows, and a stale instance must not write it back.
    EDITABLE_FIELDS: Final = frozenset({"content", "edited", "content_version"})

    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="messages",
        # The unique index on (conversation, sequence) serves it.
        db_index=False,
    )
    # Given under the conversation's row lock: its order is commit order.
    sequence = models.PositiveBigIntegerField(editable=False)
    # Null in a tombstone. Like receiver, it has an index with the id below.
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
    # True when no unread notification of it is left: see services/notifications.py.
    read = models.BooleanField(default=False, editable=False)
    edited = models.BooleanField(default=False, editable=False)
    # 1, and one more with each edit: the version that the content is.
    content_version = models.PositiveIntegerField(default=1, editable=False)
    # Indexed: a tree is walked from a message to its replies.
    parent_message = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="replies",
    )
    # Direct replies, tombstones included. Counted when written: a page of 50
    # messages must not cost as much as all the replies to them.
    reply_count = models.PositiveIntegerField(default=0, editable=False)
    external_id = models.CharField(
        max_length=255, null=True, blank=True, unique=True, editable=False
    )

    objects = MessageQuerySet.as_manager()
    unread = UnreadMessagesManager()

    # As last read from or written to the database; None when it was not loaded.
    _stored_content: str | None = None

    class Meta:
        indexes = (
            # Deleting and exporting an account; the export reads by rising id.
            models.Index(name="message_sent", fields=["sender", "id"]),
            models.Index(name="message_received", fields=["receiver", "id"]),
        )
        constraints = (
            # Also the order in which a conversation is read, page by page.
            models.UniqueConstraint(
                name="message_sequence_once", fields=["conversation", "sequence"]
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

        Without `update_fields`, a content that was not changed since it was read
        is left alone: somebody else may have edited it.

        One transaction around the signals as well: `pre_save` comes before the
        one Django opens, and a failing save must not leave a history entry.

        Raises:
            BypassError: `update_fields` names a field that follows from others.
        """
        with transaction.atomic(using=using):
            super().save(
                force_insert=force_insert,
                force_update=force_update,
                using=using,
                update_fields=(
                    None if self._state.adding else self._edit_of(update_fields)
                ),
            )
        self.note_content()

    @override
    def delete(self, using: str | None = None, keep_parents: bool = False) -> NoReturn:
        raise BypassError("Use messaging.services.messages.delete_message().")

    @classmethod
    @override
    def from_db(  # type: ignore[override]  # the stubs know a later Django's argument
        cls, db: str | None, field_names: Collection[str], values: Collection[object]
    ) -> "Message":
        message = super().from_db(db, field_names, values)
        message.note_content()
        return message

    @override
    def refresh_from_db(
        self,
        using: str | None = None,
        fields: Iterable[str] | None = None,
        from_queryset: QuerySet["Message"] | None = None,
    ) -> None:
        super().refresh_from_db(using, fields, from_queryset)
        self.note_content()

    @property
    def deleted(self) -> bool:
        """Whether this is a tombstone: nothing but a place in the tree."""
        return self.sender_id is None

    @property
    def content_preview(self) -> str:
        return preview(self.content)

    def _known_content(self) -> str | None:
        """The content, unless it was not loaded."""
        content: str | None = self.__dict__.get("content")
        return content

    def note_content(self) -> None:
        self._stored_content = self._known_content()

    def _edit_of(self, update_fields: Iterable[str] | None) -> frozenset[str]:
        if update_fields is None:
            changed = self._known_content() != self._stored_content
            return self.EDITABLE_FIELDS if changed else frozenset()
        named = frozenset(update_fields)
        # `update_or_create()` names the timestamp along with what it was given.
        if derived := named - self.EDITABLE_FIELDS - {"timestamp"}:
            raise BypassError(
                f"{', '.join(sorted(derived))} of a message cannot be saved: "
                "it follows from its conversation, replies and notifications."
            )
        return self.EDITABLE_FIELDS if "content" in named else frozenset()


class MessageHistory(models.Model):
    """A content that an edit replaced."""

    # The unique index on (message, version) serves it.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, related_name="history", db_index=False
    )
    # 1 for the original; given under the conversation's lock.
    version = models.PositiveIntegerField(editable=False)
    old_content = models.TextField()
    # The installation's clock when this content was replaced, 0 if that was
    # imported: who joined later does not see it.
    position = models.PositiveBigIntegerField(default=0, editable=False)
    # When, and by whom.
    edited_at = models.DateTimeField(default=timezone.now)
    edited_by = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="edits"
    )

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
