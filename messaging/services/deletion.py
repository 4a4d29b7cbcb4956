"""Deletes accounts: no data of the user is left, and no messages of others in groups are lost.

Two signal receivers do the work, so that `user.delete()`, the admin and the API do the
same: `pre_delete` locks the user's conversations and counts, `post_delete` erases.
Foreign keys to users do not cascade. They are deferred constraints: if this module
forgets a table, the database refuses to commit.

The SQL is set-based: the number of statements does not depend on how much is erased.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from messaging.access import AdministeredAccount, administered_again
from messaging.changes import Change, changing_account, open_change
from messaging.deletion_counts import Deletion, DeletionCounts
from messaging.errors import BypassError
from messaging.ids import UserId
from messaging.models import (
    AccessToken,
    Block,
    Conversation,
    Event,
    ExportLease,
    IdempotencyKey,
    InviteCode,
    LastSeen,
    LookNotice,
    Message,
    MessageHistory,
    NameEntry,
    Notification,
    Participant,
    Presence,
    Removal,
    Session,
    Typing,
    User,
)
from messaging.models.conversations import (
    ConversationKind,
    ConversationQuerySet,
    ParticipantRole,
)
from messaging.models.events import EventType
from messaging.services.access_revocations import access_ended
from messaging.services.conversations import erase_conversations
from messaging.services.looks import erase_looks_at
from messaging.services.owners import give_owners
from messaging.services.passwords import confirm_password, lock_password
from messaging.services.read_marks import mark_fully_read
from messaging.services.tombstones import needed_among


def delete_account(*, user: User, password: str) -> DeletionCounts:
    """Delete an account for good; return the counts of what was deleted with it.

    Raises:
        WrongPasswordError: nothing was deleted.
        UserNotFoundError: the account was deleted just now.
        BypassError: nothing was deleted, because a table that this module forgot has
            rows that refer to the account.
    """
    confirm_password(user=user, password=password)
    with _nothing_forgotten(), changing_account(UserId(user.pk)) as change:
        lock_password(user_id=UserId(user.pk), tried=user.password, change=change)
        return _deleted(user)


def delete_account_of(*, account: AdministeredAccount) -> DeletionCounts:
    """Delete somebody else's account for good; return the counts of what went with it.

    Raises:
        RightsRequiredError, UserNotFoundError: it is so since the account was fetched;
            nothing was deleted.
        BypassError: as for `delete_account`.
    """
    with _nothing_forgotten(), open_change() as change:
        # Both, in the order of all locks: whoever deletes may be deleted meanwhile.
        change.lock_accounts({account.by, account.user.pk})
        return _deleted(administered_again(account))


def preview_deletion(*, user: User) -> DeletionCounts:
    """Count what deleting this account now would delete."""
    user_id = UserId(user.pk)
    direct = _direct_conversations(user_id)
    own = Message.objects.filter(sender=user_id).exclude(conversation__in=direct)
    tombstones = own.filter(pk__in=_with_surviving_replies(user_id)).count()
    groups = Participant.objects.filter(
        user=user_id, conversation__kind=ConversationKind.GROUP
    )
    others = Participant.objects.of_same_conversation().exclude(user=user_id)
    groups_deleted = groups.filter(~Exists(others)).count()
    owned_alone = groups.filter(
        ~Exists(others.filter(role=ParticipantRole.OWNER)), role=ParticipantRole.OWNER
    )
    return DeletionCounts(
        direct_conversations=direct.count(),
        direct_messages=Message.objects.filter(conversation__in=direct).count(),
        group_messages=own.count(),
        tombstones=tombstones,
        groups_left=groups.count(),
        groups_handed_over=owned_alone.count() - groups_deleted,
        groups_deleted=groups_deleted,
        access_tokens=AccessToken.objects.filter(user=user_id).count(),
        looks=LookNotice.objects.of(user_id).count(),
        invitations=InviteCode.objects.filter(created_by=user_id).count(),
    )


def prepare_deletions(*, user_ids: Collection[int]) -> None:
    """Lock all that the deletion of several accounts touches; before each `pre_delete`.

    Accounts that are gone are left out.
    """
    with open_change() as change:
        change.lock_accounts(user_ids)


def begin_deletion(*, user: User) -> None:
    """Lock everything that the deletion changes, and count; for `pre_delete`."""
    user_id = UserId(user.pk)
    with changing_account(user_id):
        # Count now, before the account's row is deleted: `finish_deletion` has only its
        # id.
        user.deletion = Deletion(user_id=user_id, counts=preview_deletion(user=user))


def finish_deletion(*, deletion: Deletion) -> None:
    """Erase the rows that refer to the account; for `post_delete`."""
    user_id = deletion.user_id
    # One transaction, without batches: half an account must not be left.
    with changing_account(user_id) as change:
        change.announce_erased_account()
        # Before the conversations are erased, from which these events are read.
        change.record(*_conversation_deleted_events(user_id))
        erase_conversations(_direct_conversations(user_id), change=change)
        _withdraw_notifications(user_id, change)
        _erase_group_messages(user_id, change)
        _leave_groups(user_id, change)
        _renew_what_is_left(user_id, change)
        _erase_the_rest(user_id, change)
        # The event names nobody, since the account is gone: processes check all
        # streams.
        change.record(access_ended(None))


@contextmanager
def _nothing_forgotten() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise BypassError("Something still refers to the deleted account.") from error


def _deleted(user: User) -> DeletionCounts:
    # Signal receivers join the change: `begin_deletion` before the row is deleted,
    # `finish_deletion` after.
    user.delete()
    if user.deletion is None:
        raise BypassError("The receivers of the user are disconnected.")
    return user.deletion.counts


def _withdraw_notifications(user_id: UserId, change: Change) -> None:
    theirs = Notification.objects.of(user_id)
    mark_fully_read(theirs.unread(), reader=user_id, change=change)
    change.erase(theirs)
    change.erase(Notification.objects.filter(message__sender=user_id))


def _renew_what_is_left(user_id: UserId, change: Change) -> None:
    """Erase conversations without participants; renew the others that named the user."""
    named = Conversation.objects.filter(pk__in=change.conversations_of(user_id))
    everyone = Participant.objects.filter(conversation=OuterRef("pk"))
    erase_conversations(named.filter(~Exists(everyone)), change=change)
    left = list(named.order_by("pk").values_list("pk", flat=True))
    # No event says what changed: they are reset.
    change.renew(*left)


def _erase_the_rest(user_id: UserId, change: Change) -> None:
    change.erase(NameEntry.objects.filter(user=user_id))
    change.erase(AccessToken.objects.filter(user=user_id))
    change.erase(InviteCode.objects.filter(created_by=user_id))
    change.erase(Removal.objects.filter(user=user_id))
    change.erase(Block.objects.filter(Q(blocker=user_id) | Q(blocked=user_id)))
    change.erase(Session.objects.filter(user=user_id))
    change.erase(ExportLease.objects.filter(user=user_id))
    change.erase(IdempotencyKey.objects.filter(user=user_id))
    change.erase(Typing.objects.filter(user=user_id))
    change.erase(Presence.objects.filter(user=user_id))
    change.erase(LastSeen.objects.filter(user=user_id))
    erase_looks_at(user_id, change=change)
    change.erase(Event.objects.filter(user=user_id))
    change.erase(Event.objects.filter(recipient=user_id))
    change.forget_events_of(user_id)


def _conversation_deleted_events(user_id: UserId) -> list[Event]:
    """One event for each direct conversation, for its other user."""
    pairs = _direct_conversations(user_id).order_by("pk")
    return [
        Event(
            type=EventType.CONVERSATION_DELETED,
            conversation_id=pk,
            recipient_id=high if low == user_id else low,
        )
        for pk, low, high in pairs.values_list("pk", "low_user_id", "high_user_id")
    ]


def _direct_conversations(user_id: UserId) -> ConversationQuerySet:
    return Conversation.objects.filter(Q(low_user=user_id) | Q(high_user=user_id))


def _emptied(user_id: UserId) -> QuerySet[Message]:
    """The user's messages, and the tombstones in groups they wrote in."""
    written_in = Message.objects.filter(sender=user_id).values("conversation")
    return Message.objects.filter(
        Q(sender=user_id) | Q(sender__isnull=True, conversation__in=written_in)
    )


def _with_surviving_replies(user_id: UserId) -> QuerySet[Message, Mapping[str, object]]:
    others = Q(sender__isnull=False) & ~Q(sender=user_id)
    return needed_among(_emptied(user_id), surviving=others)


def _erase_group_messages(user_id: UserId, change: Change) -> None:
    change.erase(MessageHistory.objects.filter(message__sender=user_id))
    to_delete = _emptied(user_id).exclude(pk__in=_with_surviving_replies(user_id))
    lost = (
        to_delete.filter(parent_message=OuterRef("pk"))
        .order_by()
        .values("parent_message")
        .annotate(number=Count("pk"))
        .values("number")
    )
    change.update(
        Message.objects.filter(pk__in=to_delete.values("parent_message")),
        reply_count=F("reply_count") - Subquery(lost),
    )
    change.erase(to_delete)
    # The user's messages that are still there have surviving replies.
    change.turn_into_tombstones(Message.objects.filter(sender=user_id))


def _leave_groups(user_id: UserId, change: Change) -> None:
    """Remove the user from all groups; those without another owner get one."""
    theirs = Participant.objects.filter(user=user_id)
    owned = list(
        theirs.filter(role=ParticipantRole.OWNER).values_list("conversation", flat=True)
    )
    change.erase(theirs)
    give_owners(owned, change=change)
