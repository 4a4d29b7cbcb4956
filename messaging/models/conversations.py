from django.db import models
from django.db.models import F, OuterRef, Q
from django.utils import timezone
from typing_extensions import override

from messaging.ids import UserId
from messaging.models.guarded import GuardedModel, GuardedQuerySet
from messaging.models.users import User


class ConversationQuerySet(GuardedQuerySet["Conversation"]):
    def of(self, user_id: UserId) -> "ConversationQuerySet":
        return self.filter(participants__user=user_id)


class ConversationKind(models.TextChoices):
    DIRECT = "direct"
    GROUP = "group"


class Conversation(GuardedModel):
    """A direct conversation between exactly two people, or a group with a title."""

    Kind = ConversationKind

    kind = models.CharField(max_length=6, choices=Kind)
    title = models.CharField(max_length=200, blank=True)
    # The folded title, for the search: see messaging/folding.py.
    folded_title = models.TextField(default="", editable=False)
    # The two people of a direct conversation, the smaller id first: so each pair has
    # one possible row. Null in a group. Their indexes are below.
    low_user = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    high_user = models.ForeignKey(
        User,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # The sequence of the newest message, even if that one was deleted.
    last_sequence = models.PositiveBigIntegerField(default=0, editable=False)
    # Raised when anything on the conversation's page changes: see edge/page_cache.py.
    version = models.PositiveBigIntegerField(default=1, editable=False)
    last_activity_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    external_id = models.CharField(
        max_length=255, null=True, blank=True, unique=True, editable=False
    )

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = (
            # For deleting accounts; `low_user` begins the unique one below.
            models.Index(
                name="conversation_high_user",
                fields=["high_user"],
                condition=Q(high_user__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                name="conversation_one_per_pair", fields=["low_user", "high_user"]
            ),
            models.CheckConstraint(
                name="conversation_direct_has_two_people",
                condition=Q(
                    kind="direct", low_user__lt=F("high_user"), high_user__isnull=False
                )
                | Q(kind="group", low_user__isnull=True, high_user__isnull=True),
            ),
        )

    @override
    def __str__(self) -> str:
        return self.title or f"{self.kind} conversation {self.pk}"

    @property
    def is_direct(self) -> bool:
        return self.kind == self.Kind.DIRECT


class ParticipantQuerySet(GuardedQuerySet["Participant"]):
    def listed(self) -> "ParticipantQuerySet":
        """Participants who did not hide the conversation, or for whom a message came since."""
        return self.filter(
            Q(hidden_through__isnull=True)
            | Q(conversation__last_sequence__gt=F("hidden_through"))
        )

    def of_same_conversation(self) -> "ParticipantQuerySet":
        """For a subquery of a query of participants."""
        return self.filter(conversation=OuterRef("conversation"))

    def owners_of(self, conversation_id: int | OuterRef) -> "ParticipantQuerySet":
        return self.filter(conversation=conversation_id, role=ParticipantRole.OWNER)

    def longest_first(self) -> "ParticipantQuerySet":
        return self.order_by("joined_at", "pk")


class ParticipantRole(models.TextChoices):
    OWNER = "owner"
    MEMBER = "member"


class Participant(GuardedModel):
    """A user's membership of a conversation."""

    Role = ParticipantRole

    # No index of its own: the unique one below begins with it.
    conversation = models.ForeignKey(
        Conversation,
        on_delete=models.CASCADE,
        related_name="participants",
        db_index=False,
    )
    user = models.ForeignKey(
        User, on_delete=models.DO_NOTHING, related_name="participations"
    )
    role = models.CharField(max_length=6, choices=Role, default=Role.MEMBER)
    # Whether new notifications are silent; they are made in any case.
    muted = models.BooleanField(default=False)
    # The conversation's last sequence when the user hid it. A message with a later
    # sequence shows it again.
    hidden_through = models.PositiveBigIntegerField(
        null=True, blank=True, editable=False
    )
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    # The id of the event that told of it. The user does not see events and overwritten
    # versions from before it. 0 for the first participants.
    joined_position = models.PositiveBigIntegerField(default=0, editable=False)
    # The sequence from which on the user is notified of messages.
    notified_from = models.PositiveBigIntegerField(default=1, editable=False)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="participant_once_per_conversation",
                fields=["conversation", "user"],
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class Removal(models.Model):
    """An owner removed a user from a group: no invitation lets them in again.

    The row goes when an owner adds the user again.
    """

    # No index of its own: the unique one below begins with it.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user = models.ForeignKey(User, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="removal_once_per_conversation", fields=["conversation", "user"]
            ),
        )

    @override
    def __str__(self) -> str:
        return f"{self.user_id} removed from {self.conversation_id}"
