"""Context managers that open a `Change`, or join the one that is under way."""

from collections.abc import Iterator
from contextlib import contextmanager

from messaging.access import Membership, message_not_found
from messaging.changes.change import Change
from messaging.errors import ConversationNotFoundError, NotOwnerError
from messaging.ids import ConversationId, UserId
from messaging.models import Message, Participant
from messaging.models.conversations import ConversationQuerySet
from messaging.unit_of_work import unit_of_work


@contextmanager
def open_change() -> Iterator[Change]:
    """Open a change that locks nothing at first, such as the insert of a new conversation."""
    with unit_of_work() as unit:
        if not isinstance(unit.change, Change):
            unit.change = Change(unit)
        yield unit.change


@contextmanager
def changing(conversation_id: ConversationId, *, by: UserId) -> Iterator[Change]:
    """Open a change by a participant, and lock the conversation.

    Raises:
        ConversationNotFoundError: the user is no participant any more, or the
            conversation was deleted.
    """
    with open_change() as change:
        change.require_participant(conversation_id, by)
        yield change


@contextmanager
def changing_as_owner(group: Membership) -> Iterator[Change]:
    """Open a change by an owner of a group, and lock the group.

    Raises:
        ConversationNotFoundError: the user is no participant any more.
        NotOwnerError: the user is no owner (any more).
    """
    conversation_id = ConversationId(group.conversation_id)
    with changing(conversation_id, by=UserId(group.user_id)) as change:
        owned = Participant.objects.filter(pk=group.pk, role=Participant.Role.OWNER)
        if not owned.exists():
            raise NotOwnerError("Only an owner of the group may do this.")
        yield change


@contextmanager
def changing_conversation_of(message: Message, *, by: UserId) -> Iterator[Change]:
    """Open a change by a participant, and lock the conversation of a message.

    Raises:
        MessageNotFoundError: the user is no participant any more.
    """
    with open_change() as change:
        try:
            change.require_participant(message.conversation_id, by)
        except ConversationNotFoundError as error:
            raise message_not_found() from error
        yield change


@contextmanager
def changing_all(conversations: ConversationQuerySet) -> Iterator[Change]:
    """Open a change of several conversations, and lock them by ascending id."""
    with open_change() as change:
        change.lock_all(conversations)
        yield change


@contextmanager
def changing_account(user_id: UserId) -> Iterator[Change]:
    """Open a change of an account; lock it and the conversations that name it.

    Until the change ends, nobody can add the user to a conversation, and the user can
    open none.

    Raises:
        UserNotFoundError: the account was deleted just now.
    """
    with open_change() as change:
        change.conversations_of(user_id)
        yield change
