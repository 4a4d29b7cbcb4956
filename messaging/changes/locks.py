"""Row locks, in the order that every writer keeps: conversations, accounts, the clock.

Conversations are locked by ascending id. Each lock is held until the transaction ends.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db import OperationalError, transaction
from django.db.models import Model, QuerySet

from messaging.access import conversation_not_found, conversations_naming
from messaging.database import CompiledQuery
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Participant, User
from messaging.models.conversations import ConversationQuerySet

M = TypeVar("M", bound=Model)

# Of locking accounts: each fails only if somebody was faster.
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class LockedAccounts:
    """Accounts that exist, and all conversations that name one of them."""

    users: frozenset[int]
    conversations: list[ConversationId]


@CompiledQuery
def _conversation(*, conversation: int) -> QuerySet[Conversation]:
    return locked(Conversation.objects.filter(pk=conversation))


@CompiledQuery
def _participant(
    *, conversation: int, participant: UserId
) -> QuerySet[Participant, tuple[int]]:
    return Participant.objects.filter(
        conversation=conversation, user=participant
    ).values_list("pk")


@CompiledQuery
def _participants(*, conversation: int) -> QuerySet[Participant, tuple[int, bool]]:
    return Participant.objects.filter(conversation=conversation).values_list(
        "user_id", "muted"
    )


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """The same queryset, which locks its rows when it reads them."""
    if rows.model is User:
        # `no_key`: others may still insert rows that refer to the account.
        return rows.select_for_update(no_key=True).order_by("pk")
    return rows.select_for_update(of=("self",)).order_by("pk")


def lock_conversation(conversation_id: int) -> Conversation:
    """Lock one conversation, and return its present row.

    Raises:
        ConversationNotFoundError: the conversation was deleted.
    """
    conversation = _conversation.first(conversation=conversation_id)
    if conversation is None:
        raise conversation_not_found()
    return conversation


def require_participant(conversation_id: int, user_id: UserId) -> None:
    """Check that a user is a participant. Call it after locking, as a statement of its own.

    If one statement locked and joined, PostgreSQL would join the participants as they
    were before it waited for the lock.

    Raises:
        ConversationNotFoundError: the user is no participant (any more).
    """
    if not _participant.first(conversation=conversation_id, participant=user_id):
        raise conversation_not_found()


def participants_of(conversation_id: int) -> dict[int, bool]:
    """All participants, and whether they muted the conversation; call it after locking, too."""
    return dict(_participants.all(conversation=conversation_id))


def lock_conversations(conversations: ConversationQuerySet) -> list[ConversationId]:
    """Lock conversations by ascending id; return the ids of those that exist."""
    return [ConversationId(row.pk) for row in locked(conversations).only("pk")]


def lock_users(user_ids: Collection[int]) -> frozenset[int]:
    """Lock accounts, so that none is deleted before rows that refer to it are committed.

    Requires all conversations to be locked already. Without this lock, both databases
    would check the foreign keys only at the commit, while every other writer waits.

    Returns:
        The ids of those that exist.
    """
    users = locked(User.objects.filter(pk__in=user_ids))
    return frozenset(users.values_list("pk", flat=True))


def lock_accounts(user_ids: Collection[int]) -> LockedAccounts:
    """Lock the conversations that name these people, then the accounts that still exist.

    Before an account is locked, somebody may add its user to a conversation whose id is
    lower than one that is locked already. Then all locks are released, by rolling back
    to a savepoint, and taken again in order. Once it returns, nobody can add these
    people to a conversation, and they cannot open one, until the transaction ends.

    Raises:
        OperationalError: people were added again each time; it may be tried again, as
            when the database is busy.
    """
    for _ in range(_ATTEMPTS):
        before = transaction.savepoint()
        conversations = lock_conversations(conversations_naming(*user_ids))
        users = lock_users(user_ids)
        if set(named_in(*user_ids)) <= set(conversations):
            transaction.savepoint_commit(before)
            return LockedAccounts(users, conversations)
        transaction.savepoint_rollback(before)
    raise OperationalError("These people were added to conversations: try again.")


def named_in(*user_ids: int) -> list[ConversationId]:
    """The ids of the conversations that name one of these people, without locks."""
    named = conversations_naming(*user_ids).values_list("pk", flat=True)
    return [ConversationId(pk) for pk in named]
