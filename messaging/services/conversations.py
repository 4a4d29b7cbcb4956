"""Conversations: opening, naming and erasing them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Model, QuerySet, Subquery

from messaging.access import (
    Ownership,
    conversation_not_found,
    lock_users,
    locked_for_owner,
)
from messaging.errors import (
    GroupFullError,
    SelfMessageError,
    UnknownMemberError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import (
    Conversation,
    Event,
    Installation,
    Message,
    MessageHistory,
    Notification,
    Participant,
    Typing,
    User,
)
from messaging.models.conversations import ConversationQuerySet
from messaging.models.events import EventType
from messaging.services.blocks import require_deliverable
from messaging.services.events import record_events
from messaging.statements import Parameter, Statement
from messaging.text import clean_title

AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True, slots=True)
class OpenedConversation:
    conversation: Conversation
    created: bool


@dataclass(frozen=True, slots=True)
class PageVersion:
    """Names what a conversation's page shows: another state, another version."""

    conversation_id: ConversationId
    version: int
    # Of all names that are shown anywhere.
    names: int
    # Of the database: a restored backup may give a version out again.
    epoch: str


def open_direct(
    *, one: UserId, other: UserId, field: str = "receiver"
) -> OpenedConversation:
    """The conversation of two people, made the first time; safe to race.

    Raises:
        SelfMessageError: there is only one person; `field` named the other.
        NotDeliverableError: there is a block between them, and no conversation yet.
    """
    if one == other:
        raise SelfMessageError("You cannot write to yourself.", field=field)
    low, high = sorted((one, other))
    with transaction.atomic():
        conversation, created = Conversation.objects.get_or_create(
            low_user_id=low,
            high_user_id=high,
            defaults={"kind": Conversation.Kind.DIRECT},
        )
        if created:
            require_deliverable(sender=one, receivers=frozenset({other}))
            lock_users({low, high})
            Participant.objects.bulk_create(
                Participant(conversation=conversation, user_id=user)
                for user in (low, high)
            )
            _announce_new(conversation)
    return OpenedConversation(conversation, created)


def start_group(
    *, owner: User, title: str, usernames: Iterable[str]
) -> OpenedConversation:
    """Open a group; naming its owner among the members changes nothing.

    Raises:
        InvalidTitleError
        UnknownMemberError: a name has no active account; says which.
        GroupFullError: more people than the installation allows.
        NotDeliverableError: there is a block between the owner and a member.
    """
    title = clean_title(title)
    members = _active_users(frozenset(name.lower() for name in usernames)) - {owner.pk}
    if len(members) + 1 > settings.PARLEY_MAX_PARTICIPANTS:
        raise group_full()
    require_deliverable(sender=UserId(owner.pk), receivers=members)
    with transaction.atomic():
        conversation = Conversation.objects.create(
            kind=Conversation.Kind.GROUP, title=title
        )
        lock_users({owner.pk, *members})
        Participant.objects.create(
            conversation=conversation, user=owner, role=Participant.Role.OWNER
        )
        Participant.objects.bulk_create(
            Participant(conversation=conversation, user_id=user)
            for user in sorted(members)
        )
        _announce_new(conversation)
    return OpenedConversation(conversation, created=True)


def rename_group(*, group: Ownership, title: str) -> None:
    """Give a group another title.

    Raises:
        InvalidTitleError
        NotOwnerError, ConversationNotFoundError: the group changed hands meanwhile.
    """
    title = clean_title(title)
    with transaction.atomic():
        locked_for_owner(group)
        Conversation.objects.filter(pk=group.conversation_id).update(
            title=title, version=F("version") + 1
        )
        record_events([conversation_updated(ConversationId(group.conversation_id))])


def page_version(*, reader: UserId, conversation_id: ConversationId) -> PageVersion:
    """The version of a conversation's page, for someone who may read it; one query.

    To be read before the page's data: then the data is never older than it says.

    Raises:
        ConversationNotFoundError: no such conversation, or no part of theirs in it.
    """
    row = _PAGE_VERSION.first(reader=reader, conversation=conversation_id)
    if row is None:
        raise conversation_not_found()
    version, names, epoch = row
    return PageVersion(conversation_id, version, names, epoch)


def conversation_updated(
    conversation_id: ConversationId, *, recipient: UserId | None = None
) -> Event:
    """The event that tells how a conversation looks now, to all or to one."""
    return Event(
        type=EventType.CONVERSATION_UPDATED,
        conversation_id=conversation_id,
        recipient_id=recipient,
    )


def titles(
    *, conversation_ids: Collection[ConversationId]
) -> dict[ConversationId, str]:
    """The titles of groups; a direct conversation's is empty."""
    rows = Conversation.objects.filter(pk__in=conversation_ids)
    return {ConversationId(pk): title for pk, title in rows.values_list("pk", "title")}


def erase_conversations(conversations: ConversationQuerySet) -> None:
    """Remove conversations that nobody can read, without loading their messages."""
    erase_rows(Notification.objects.filter(conversation__in=conversations))
    erase_rows(MessageHistory.objects.filter(message__conversation__in=conversations))
    erase_rows(Message.objects.filter(conversation__in=conversations))
    erase_rows(Typing.objects.filter(conversation__in=conversations))
    erase_rows(Participant.objects.filter(conversation__in=conversations))
    erase_rows(conversations)


def erase_rows(rows: QuerySet[AnyModel]) -> None:
    """Delete by one statement: no signals, no cascades, nothing loaded."""
    rows._raw_delete(rows.db)


def group_full() -> GroupFullError:
    return GroupFullError(
        f"A group has at most {settings.PARLEY_MAX_PARTICIPANTS:,} participants."
    )


def _announce_new(conversation: Conversation) -> None:
    record_events(
        [Event(type=EventType.CONVERSATION_CREATED, conversation_id=conversation.pk)]
    )


def _page_versions() -> QuerySet[Participant, tuple[int, int, str]]:
    installation = Installation.objects.filter(pk=Installation.ONLY_ID)
    return Participant.objects.filter(
        user=Parameter("reader"), conversation=Parameter("conversation")
    ).values_list(
        "conversation__version",
        Subquery(installation.values("names")),
        Subquery(installation.values("epoch")),
    )


_PAGE_VERSION: Final = Statement(_page_versions)


def _active_users(username_keys: frozenset[str]) -> frozenset[int]:
    found = dict(
        User.objects.filter(username_key__in=username_keys, is_active=True).values_list(
            "username_key", "pk"
        )
    )
    if unknown := username_keys - found.keys():
        raise UnknownMemberError(
            f"There is no such person: {', '.join(sorted(unknown))}.",
            field="participants",
        )
    return frozenset(found.values())
