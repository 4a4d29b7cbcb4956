"""Who takes part in a group: adding, removing, leaving, handing over."""

from django.conf import settings
from django.db import transaction

from messaging.access import (
    Membership,
    Ownership,
    lock_users,
    locked_for_owner,
    locked_for_participant,
)
from messaging.cursors import decode_number, encode_cursor
from messaging.errors import (
    DirectConversationError,
    OwnerRequiredError,
    ParticipantNotFoundError,
)
from messaging.ids import ConversationId, UserId
from messaging.models import Conversation, Event, Participant
from messaging.models.conversations import ParticipantQuerySet
from messaging.models.events import EventType
from messaging.pages import Page, cut_page
from messaging.services.blocks import require_deliverable
from messaging.services.conversations import (
    conversation_updated,
    erase_conversations,
    group_full,
)
from messaging.services.events import record_events
from messaging.services.notifications import withdraw_notifications
from messaging.services.users import active_user


def participant_page(
    *, membership: Membership, cursor: str | None, limit: int
) -> Page[Participant]:
    """Everyone in the conversation, in the order they came."""
    everyone = Participant.objects.filter(conversation=membership.conversation_id)
    if cursor is not None:
        everyone = everyone.filter(pk__gt=decode_number("participants", cursor))
    rows = (
        everyone.select_related("user")
        .only(
            "conversation", "role", "joined_at", "user__username", "user__display_name"
        )
        .order_by("pk")
    )
    return cut_page(
        rows[: limit + 1],
        limit=limit,
        cursor_of=lambda part: encode_cursor("participants", part.pk),
    )


def put_participant(*, group: Ownership, username: str, role: str) -> None:
    """Let someone in, or make a participant the owner in one's own place.

    Raises:
        UserNotFoundError: no active account has this name.
        ParticipantNotFoundError: the new owner takes no part yet.
        OwnerRequiredError: the owner would only become a member.
        GroupFullError
        NotDeliverableError: there is a block between them and the owner.
        NotOwnerError, ConversationNotFoundError: the group changed hands meanwhile.
    """
    if role == Participant.Role.OWNER:
        _hand_over(group, username)
    elif username.lower() == group.user.username_key:
        raise OwnerRequiredError(
            "A group has an owner: make someone else the owner instead."
        )
    else:
        _add(group, username)


def _add(group: Ownership, username: str) -> None:
    user = active_user(username=username)
    with transaction.atomic():
        locked_for_owner(group)
        require_deliverable(
            sender=UserId(group.user_id), receivers=frozenset({user.pk})
        )
        everyone = Participant.objects.filter(conversation=group.conversation_id)
        if everyone.filter(user=user).exists():
            return
        if everyone.count() >= settings.PARLEY_MAX_PARTICIPANTS:
            raise group_full()
        lock_users({user.pk})
        position = record_events(
            [
                Event(
                    type=EventType.PARTICIPANT_ADDED,
                    conversation_id=group.conversation_id,
                    user=user,
                )
            ]
        )
        Participant.objects.create(
            conversation_id=group.conversation_id, user=user, joined_position=position
        )


def _hand_over(group: Ownership, username: str) -> None:
    with transaction.atomic():
        locked_for_owner(group)
        heir = _participant(group, username)
        # The old owner first: a group has never two.
        Participant.objects.filter(pk=group.pk).update(role=Participant.Role.MEMBER)
        Participant.objects.filter(pk=heir.pk).update(role=Participant.Role.OWNER)
        record_events([conversation_updated(ConversationId(group.conversation_id))])


def remove_participant(*, membership: Membership, username: str) -> None:
    """Leave a group, or as its owner put someone else out of it.

    What they had still to read there is forgotten. A group that its owner leaves
    passes to its longest member, and goes with its last.

    Raises:
        DirectConversationError: it is no group.
        NotOwnerError: only the owner puts others out.
        ParticipantNotFoundError: nobody of this name takes part.
        ConversationNotFoundError: the caller was put out meanwhile.
    """
    if membership.conversation.is_direct:
        raise DirectConversationError("Nobody can leave a direct conversation.")
    leaves = username.lower() == membership.user.username_key
    with transaction.atomic():
        conversation = (
            locked_for_participant(membership)
            if leaves
            else locked_for_owner(membership)
        )
        _take_out(_participant(membership, username), conversation)


def set_muted(*, membership: Membership, muted: bool) -> None:
    """Make one's notifications of a conversation silent from now on, or no longer.

    Raises:
        ConversationNotFoundError: they take no part any more.
    """
    with transaction.atomic():
        locked_for_participant(membership)
        if _part(membership).exclude(muted=muted).update(muted=muted):
            _tell_oneself(membership)


def set_hidden(*, membership: Membership, hidden: bool) -> None:
    """Take a conversation out of one's list until its next message, or bring it back.

    Raises:
        ConversationNotFoundError: they take no part any more.
    """
    through = membership.conversation.last_sequence if hidden else None
    with transaction.atomic():
        locked_for_participant(membership)
        if _part(membership).update(hidden_through=through):
            _tell_oneself(membership)


def _part(membership: Membership) -> ParticipantQuerySet:
    return Participant.objects.filter(pk=membership.pk)


def _tell_oneself(membership: Membership) -> None:
    record_events(
        [
            conversation_updated(
                ConversationId(membership.conversation_id),
                recipient=UserId(membership.user_id),
            )
        ]
    )


def _take_out(part: Participant, conversation: Conversation) -> None:
    withdraw_notifications(
        user_id=UserId(part.user_id), conversation_id=ConversationId(conversation.pk)
    )
    Participant.objects.filter(pk=part.pk).delete()
    if part.role == Participant.Role.OWNER:
        _pass_on(conversation)
    record_events(_removal(part))


def _removal(part: Participant) -> list[Event]:
    """What those who stay are told, and then, as their last of it, who went."""
    told: tuple[int | None, ...] = (None, part.user_id)
    return [
        Event(
            type=EventType.PARTICIPANT_REMOVED,
            conversation_id=part.conversation_id,
            user_id=part.user_id,
            recipient_id=recipient,
        )
        for recipient in told
    ]


def _pass_on(conversation: Conversation) -> None:
    heir = Participant.objects.filter(conversation=conversation).longest_first().first()
    if heir is None:
        erase_conversations(Conversation.objects.filter(pk=conversation.pk))
    else:
        Participant.objects.filter(pk=heir.pk).update(role=Participant.Role.OWNER)


def _participant(group: Membership, username: str) -> Participant:
    part = Participant.objects.filter(
        conversation=group.conversation_id, user__username_key=username.lower()
    ).first()
    if part is None:
        raise ParticipantNotFoundError("Nobody of this name takes part.")
    return part
