"""Deleting an account: nothing of the person is left, and nobody else loses anything.

The work of two signals, so that `user.delete()`, the admin and the API do the
same: `pre_delete` locks the person's conversations and counts, `post_delete`
erases. Foreign keys to people are no cascades but deferred constraints: were a
table forgotten here, the database would refuse to commit.

All is done in sets, by a number of statements that does not depend on how much
there is to erase.
"""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django_cte import CTE, with_cte

from messaging.access import lock_conversations, lock_users
from messaging.errors import BypassError
from messaging.ids import UserId
from messaging.models import (
    AccessToken,
    Block,
    Conversation,
    Event,
    IdempotencyKey,
    Message,
    MessageHistory,
    Notification,
    Participant,
    Presence,
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
from messaging.receipts import Deletion, DeletionCounts
from messaging.services.conversations import erase_conversations, erase_rows
from messaging.services.events import record_events
from messaging.services.notifications import settle_messages
from messaging.services.passwords import confirm_password, hold_password


def delete_account(*, user: User, password: str) -> DeletionCounts:
    """Delete an account for good, and say what went with it.

    Raises:
        WrongPasswordError: nothing was deleted.
        UserNotFoundError: somebody else deleted it just now.
        BypassError: nothing was deleted, because a table was forgotten here.
    """
    confirm_password(user=user, password=password)
    try:
        with transaction.atomic():
            # Conversations before accounts, like everywhere.
            _lock_all(UserId(user.pk))
            hold_password(user_id=UserId(user.pk), tried=user.password)
            user.delete()
            if user.deletion is None:
                raise BypassError("The receivers of the user are disconnected.")
    except IntegrityError as error:
        raise BypassError("Something still refers to the deleted account.") from error
    return user.deletion.counts


def preview_deletion(*, user: User) -> DeletionCounts:
    """What deleting this account would take away now."""
    user_id = UserId(user.pk)
    direct = _direct_conversations(user_id)
    own = Message.objects.filter(sender=user_id).exclude(conversation__in=direct)
    tombstones = own.filter(pk__in=_kept(user_id)).count()
    groups = Participant.objects.filter(
        user=user_id, conversation__kind=ConversationKind.GROUP
    )
    others = Participant.objects.filter(conversation=OuterRef("conversation"))
    groups_deleted = groups.filter(~Exists(others.exclude(user=user_id))).count()
    owned = groups.filter(role=ParticipantRole.OWNER)
    return DeletionCounts(
        direct_conversations=direct.count(),
        direct_messages=Message.objects.filter(conversation__in=direct).count(),
        group_messages=own.count(),
        tombstones=tombstones,
        groups_left=groups.count(),
        groups_handed_over=owned.count() - groups_deleted,
        groups_deleted=groups_deleted,
        access_tokens=AccessToken.objects.filter(user=user_id).count(),
    )


def begin_deletion(*, user: User) -> None:
    """Lock all that the deletion touches, and count it; for `pre_delete`."""
    user_id = UserId(user.pk)
    _lock_all(user_id)
    user.deletion = Deletion(user_id=user_id, counts=preview_deletion(user=user))


def finish_deletion(*, deletion: Deletion) -> None:
    """Erase what the account leaves behind; for `post_delete`."""
    user_id = deletion.user_id
    touched = list(_touched(user_id).values_list("pk", flat=True))
    news = _farewells(user_id)
    erase_conversations(_direct_conversations(user_id))
    settle_messages(Notification.objects.of(user_id).unread(), reader=user_id)
    erase_rows(Notification.objects.of(user_id))
    erase_rows(Notification.objects.filter(message__sender=user_id))
    erase_rows(MessageHistory.objects.filter(message__sender=user_id))
    _erase_group_messages(user_id)
    _leave_groups(user_id)
    left = Conversation.objects.filter(pk__in=touched)
    everyone = Participant.objects.filter(conversation=OuterRef("pk"))
    erase_conversations(left.filter(~Exists(everyone)))
    left.update(version=F("version") + 1)
    news += [
        Event(type=EventType.CONVERSATION_RESET, conversation_id=pk)
        for pk in left.order_by("pk").values_list("pk", flat=True)
    ]
    erase_rows(AccessToken.objects.filter(user=user_id))
    erase_rows(Block.objects.filter(Q(blocker=user_id) | Q(blocked=user_id)))
    erase_rows(Session.objects.filter(user=user_id))
    erase_rows(IdempotencyKey.objects.filter(user=user_id))
    erase_rows(Typing.objects.filter(user=user_id))
    erase_rows(Presence.objects.filter(user=user_id))
    erase_rows(Event.objects.filter(user=user_id))
    erase_rows(Event.objects.filter(recipient=user_id))
    if news:
        record_events(news)


def _farewells(user_id: UserId) -> list[Event]:
    """For the other one of each direct conversation: that it is gone."""
    pairs = _direct_conversations(user_id).order_by("pk")
    return [
        Event(
            type=EventType.CONVERSATION_DELETED,
            conversation_id=pk,
            recipient_id=high if low == user_id else low,
        )
        for pk, low, high in pairs.values_list("pk", "low_user_id", "high_user_id")
    ]


def _lock_all(user_id: UserId) -> None:
    """Lock their conversations, then them: nobody can add them to anything any more.

    Somebody may have, between the two. That group's turn may be before the others',
    so all locks are let go of, which a savepoint does, to be taken from the start.
    """
    before = transaction.savepoint()
    locked = lock_conversations(_touched(user_id))
    lock_users({user_id})
    if set(_touched(user_id).values_list("pk", flat=True)) <= set(locked):
        transaction.savepoint_commit(before)
    else:
        transaction.savepoint_rollback(before)
        _lock_all(user_id)


def _touched(user_id: UserId) -> ConversationQuerySet:
    """Where they take part, or wrote before they left."""
    return Conversation.objects.filter(
        Q(pk__in=Participant.objects.filter(user=user_id).values("conversation"))
        | Q(pk__in=Message.objects.filter(sender=user_id).values("conversation"))
    )


def _direct_conversations(user_id: UserId) -> ConversationQuerySet:
    return Conversation.objects.filter(Q(low_user=user_id) | Q(high_user=user_id))


def _kept(user_id: UserId) -> QuerySet[Message, Mapping[str, object]]:
    """Ids of places in group trees that something surviving hangs from.

    Of the person's messages and of tombstones, in groups they wrote in: those
    with a surviving reply, and all such above them.
    """
    written_in = Message.objects.filter(sender=user_id).values("conversation")
    emptied = Message.objects.filter(
        Q(sender=user_id) | Q(sender__isnull=True, conversation__in=written_in)
    )
    surviving = Message.objects.filter(
        parent_message=OuterRef("pk"), sender__isnull=False
    ).exclude(sender=user_id)

    def climb(kept: CTE) -> QuerySet[Message, Mapping[str, object]]:
        first = emptied.filter(Exists(surviving))
        above = kept.join(emptied, id=kept.col.parent_message_id)
        # UNION without ALL: two branches that meet climb on as one.
        return first.values("id", "parent_message_id").union(
            above.values("id", "parent_message_id")
        )

    kept = CTE.recursive(climb, name="kept")
    rows: QuerySet[Message, Mapping[str, object]] = kept.queryset()
    return with_cte(kept, select=rows.values("id"))


def _erase_group_messages(user_id: UserId) -> None:
    written_in = Message.objects.filter(sender=user_id).values("conversation")
    doomed = Message.objects.filter(
        Q(sender=user_id) | Q(sender__isnull=True, conversation__in=written_in),
        ~Q(pk__in=_kept(user_id)),
    )
    lost = (
        doomed.filter(parent_message=OuterRef("pk"))
        .order_by()
        .values("parent_message")
        .annotate(number=Count("pk"))
        .values("number")
    )
    Message.objects.filter(pk__in=doomed.values("parent_message")).update(
        reply_count=F("reply_count") - Subquery(lost)
    )
    erase_rows(doomed)
    # What is left of theirs has replies below it.
    Message.objects.filter(sender=user_id).turn_into_tombstones()


def _leave_groups(user_id: UserId) -> None:
    """Hand owned groups over to their longest members, then leave all."""
    theirs = Participant.objects.filter(user=user_id)
    owned = list(
        theirs.filter(role=ParticipantRole.OWNER).values_list("conversation", flat=True)
    )
    erase_rows(theirs)
    longest = Participant.objects.filter(
        conversation=OuterRef("conversation")
    ).longest_first()
    Participant.objects.filter(
        conversation__in=owned, pk=Subquery(longest.values("pk")[:1])
    ).update(role=ParticipantRole.OWNER)
