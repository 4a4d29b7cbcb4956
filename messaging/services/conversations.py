"""Conversations: opening, naming and erasing them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from messaging.access import Ownership, conversation_not_found
from messaging.changes import Change, changing_as_owner, open_change
from messaging.database import BATCH_SIZE, CompiledQuery, OnTimeline
from messaging.errors import GroupFullError, SelfMessageError, UnknownMemberError
from messaging.folding import fold
from messaging.ids import ConversationId, UserId
from messaging.models import (
    Conversation,
    Event,
    Installation,
    InviteCode,
    Message,
    MessageHistory,
    Notification,
    Participant,
    Removal,
    Typing,
    User,
)
from messaging.models.conversations import ConversationQuerySet
from messaging.models.events import EventType
from messaging.services.additions import require_addable
from messaging.services.blocks import require_deliverable
from messaging.services.limits import spend_quota
from messaging.text import clean_title


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    conversation: Conversation
    created: bool


@dataclass(frozen=True, slots=True)
class PageVersion:
    """The version of a conversation's page: another state of the page has another version."""

    conversation_id: ConversationId
    version: int
    # The epoch of the database: after a restore or a failover, a version may be used
    # again, for another state.
    epoch: str


def open_direct(
    *, one: UserId, other: UserId, field: str = "receiver"
) -> OpenedConversation:
    """Open the direct conversation of two users, and create it once; safe to race.

    Raises:
        SelfMessageError: both are the same user; the error names `field`.
        NotDeliverableError: there is a block between them, and no conversation yet.
        RateLimitedError: `one` started too many conversations lately.
    """
    if one == other:
        raise SelfMessageError("You cannot write to yourself.", field=field)
    # Always in the same order, so that the unique constraint allows one conversation
    # per pair.
    low, high = sorted((one, other))
    with open_change() as change:
        conversation, created = change.first_or_insert(
            Conversation.objects.filter(low_user=low, high_user=high),
            Conversation(
                kind=Conversation.Kind.DIRECT, low_user_id=low, high_user_id=high
            ),
        )
        if created:
            with spend_quota("first-contacts", user_id=one):
                _begin_direct(conversation, one, other, change)
    return OpenedConversation(conversation, created)


def start_group(
    *, owner: User, title: str, usernames: Iterable[str]
) -> OpenedConversation:
    """Create a group; `usernames` may include the owner.

    Raises:
        InvalidTitleError
        UnknownMemberError: names the usernames without an active account.
        GroupFullError: more people than the installation allows.
        NotDeliverableError: there is a block between the owner and a member, or a
            member's setting excludes the owner; the error names these members.
        RateLimitedError: the owner created too many groups, or added too many people.
    """
    title = clean_title(title)
    members = _active_users(
        frozenset(name.lower() for name in usernames) - {owner.username_key}
    )
    if len(members) + 1 > settings.PARLEY_MAX_PARTICIPANTS:
        raise group_full()
    owner_id = UserId(owner.pk)
    with (
        spend_quota("groups", user_id=owner_id),
        spend_quota("additions", user_id=owner_id, number=len(members)),
    ):
        require_addable(adder=owner_id, users=members)
        # Quotas are counted before anything is locked: see `spend_quota`.
        conversation = _begin_group(owner, title, {user.pk for user in members})
    return OpenedConversation(conversation, created=True)


def rename_group(*, group: Ownership, title: str) -> None:
    """Change a group's title; the same title changes nothing.

    Raises:
        InvalidTitleError
        NotOwnerError, ConversationNotFoundError: the caller no longer owns the group,
            or left it.
    """
    title = clean_title(title)
    conversation_id = ConversationId(group.conversation_id)
    with changing_as_owner(group) as change:
        if change.conversation(conversation_id).title == title:
            return
        change.renew(conversation_id, title=title, folded_title=fold(title))
        change.record(conversation_updated(conversation_id))


def page_version(*, reader: UserId, conversation_id: ConversationId) -> PageVersion:
    """The version of a conversation's page, if the reader is a participant; one query.

    Call it before reading the page's data: then the data is never older than the
    version.

    Raises:
        ConversationNotFoundError: no such conversation, or the reader is no
            participant.
    """
    row = _page_version.first(reader=reader, conversation=conversation_id)
    if row is None:
        raise conversation_not_found()
    version, epoch = row
    return PageVersion(conversation_id, version, epoch)


def conversation_updated(
    conversation_id: ConversationId, *, recipient: UserId | None = None
) -> Event:
    """The event that sends a conversation's summary to all participants, or to one."""
    return Event(
        type=EventType.CONVERSATION_UPDATED,
        conversation_id=conversation_id,
        recipient_id=recipient,
    )


def titles(
    *, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, str]:
    """The titles of conversations; a direct conversation's title is empty."""
    rows = Conversation.objects.filter(pk__in=conversation_ids)
    return {ConversationId(pk): title for pk, title in rows.values_list("pk", "title")}


def erase_conversations(conversations: ConversationQuerySet, *, change: Change) -> None:
    """Erase conversations and all their rows, without loading them."""
    change.erase(Notification.objects.filter(conversation__in=conversations))
    change.erase(MessageHistory.objects.filter(conversation__in=conversations))
    change.erase(Message.objects.filter(conversation__in=conversations))
    change.erase(Typing.objects.filter(conversation__in=conversations))
    change.erase(InviteCode.objects.filter(conversation__in=conversations))
    change.erase(Removal.objects.filter(conversation__in=conversations))
    change.erase(Participant.objects.filter(conversation__in=conversations))
    change.erase(conversations)


def erase_newest_batch(conversation_id: ConversationId, *, change: Change) -> bool:
    """Erase the newest `BATCH_SIZE` messages, or nothing if there are no more than that.

    For a conversation whose last participant leaves: batches delay other writers only
    briefly. The newest messages come first, so that no reply outlives its parent.

    Returns:
        Whether a batch was erased, and messages remain.
    """
    messages = Message.objects.in_conversation(conversation_id)
    newest = list(
        messages.order_by("-sequence").values_list("pk", flat=True)[: BATCH_SIZE + 1]
    )
    if len(newest) <= BATCH_SIZE:
        return False
    batch = messages.filter(pk__in=newest[:BATCH_SIZE])
    replies = batch.filter(parent_message=OuterRef("pk")).order_by()
    lost = replies.values("parent_message")
    change.update(
        messages.filter(pk__in=batch.values("parent_message")),
        reply_count=F("reply_count") - Subquery(lost.values(lost=Count("pk"))),
    )
    change.erase(Notification.objects.filter(message__in=batch))
    change.erase(MessageHistory.objects.filter(message__in=batch))
    change.erase(batch)
    change.renew(conversation_id)
    return True


def group_full() -> GroupFullError:
    return GroupFullError(
        f"A group has at most {settings.PARLEY_MAX_PARTICIPANTS:,} participants."
    )


def _begin_direct(
    conversation: Conversation, one: UserId, other: UserId, change: Change
) -> None:
    require_deliverable(sender=one, receivers=frozenset({other}))
    change.lock_users({one, other})
    change.insert(
        Participant(conversation=conversation, user_id=user)
        for user in sorted((one, other))
    )
    change.record(_conversation_created(conversation))


def _begin_group(owner: User, title: str, members: Collection[int]) -> Conversation:
    conversation = Conversation(
        kind=Conversation.Kind.GROUP, title=title, folded_title=fold(title)
    )
    with open_change() as change:
        # Insert it before locking accounts: a new conversation counts as locked, and
        # conversations come first in the lock order.
        change.insert([conversation])
        change.lock_users({owner.pk, *members})
        first = Participant(
            conversation=conversation, user=owner, role=Participant.Role.OWNER
        )
        others = (
            Participant(conversation=conversation, user_id=user)
            for user in sorted(members)
        )
        change.insert([first, *others])
        change.record(_conversation_created(conversation))
    return conversation


def _conversation_created(conversation: Conversation) -> Event:
    return Event(type=EventType.CONVERSATION_CREATED, conversation_id=conversation.pk)


@CompiledQuery
def _page_version(
    *, reader: UserId, conversation: ConversationId
) -> QuerySet[Participant, tuple[int, str]]:
    installation = Installation.objects.filter(pk=Installation.ONLY_ID)
    return Participant.objects.filter(
        user=reader, conversation=conversation
    ).values_list(
        "conversation__version",
        Subquery(installation.values_list(OnTimeline("epoch"))),
    )


def _active_users(username_keys: frozenset[str]) -> list[User]:
    found = list(
        User.objects.filter(username_key__in=username_keys, is_active=True).only(
            "username", "username_key", "who_may_add"
        )
    )
    if unknown := username_keys - {user.username_key for user in found}:
        raise UnknownMemberError(
            f"There is no such person: {', '.join(sorted(unknown))}.",
            field="participants",
        )
    return found
