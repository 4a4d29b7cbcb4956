"""Access checks: who may see and do what. Only this module makes the proof types below.

A function that takes a `ReadableMessage` needs no check of its own: the type proves
that access was checked. Rows that a user may not see are refused like rows that do not
exist, by a NotFoundError, so that ids cannot be probed.

A proof was true when it was made. A write checks under the conversation's lock whether
it still is: see messaging/changes.
"""

from dataclasses import dataclass
from typing import Final, Literal, NewType

from django.db.models import Q, QuerySet

from messaging.database import CompiledQuery
from messaging.errors import (
    ConversationNotFoundError,
    DeletedMessageError,
    DirectConversationError,
    MessageNotFoundError,
    NotOwnerError,
    NotSenderError,
    OwnAccountError,
    OwnMessageError,
    RightsRequiredError,
    UserNotFoundError,
)
from messaging.ids import ConversationId, MessageId, UserId
from messaging.models import Conversation, Message, Participant, User
from messaging.models.conversations import ConversationQuerySet

# Staff who may invite people to the server.
Inviter = NewType("Inviter", User)
# A participant row with its `conversation` and `user` loaded.
Membership = NewType("Membership", Participant)
# The participant row of an owner of a group.
Ownership = NewType("Ownership", Membership)
# A message, loaded for display, of a conversation in which its reader is a participant.
ReadableMessage = NewType("ReadableMessage", Message)
# A message that its reader sent and that is not deleted.
OwnMessage = NewType("OwnMessage", ReadableMessage)
# A message that somebody else sent to its reader and that is not deleted.
ReceivedMessage = NewType("ReceivedMessage", ReadableMessage)
# Who may do everything in the administration.
Superuser = NewType("Superuser", User)
# Staff who may see the accounts of all people.
AccountViewer = NewType("AccountViewer", User)

AccountAction = Literal["view", "change", "delete"]
_PERMISSIONS: Final = {
    # As in Django's admin: who may change accounts may see them.
    "view": ("messaging.view_user", "messaging.change_user"),
    "change": ("messaging.change_user",),
    "delete": ("messaging.delete_user",),
}


@dataclass(frozen=True, slots=True)
class AdministeredAccount:
    """Somebody else's account, to which staff may do something."""

    user: User
    by: UserId
    action: AccountAction


@CompiledQuery
def _membership(
    *, reader: UserId, conversation: ConversationId
) -> QuerySet[Participant]:
    return Participant.objects.select_related("conversation", "user").filter(
        conversation=conversation, user=reader
    )


@CompiledQuery
def _readable(*, reader: UserId, message: MessageId) -> QuerySet[Message]:
    return Message.objects.readable_by(reader).for_display().filter(pk=message)


def membership(*, reader: UserId, conversation_id: ConversationId) -> Membership:
    """Fetch a user's participant row, with its conversation and user.

    Raises:
        ConversationNotFoundError: there is no such conversation, or the reader is no
            participant.
    """
    participant = _membership.first(conversation=conversation_id, reader=reader)
    if participant is None:
        raise conversation_not_found()
    return Membership(participant)


def ownership(*, owner: UserId, conversation_id: ConversationId) -> Ownership:
    """Fetch the participant row of an owner of a group; only owners may change it.

    Raises:
        ConversationNotFoundError: as for `membership`.
        DirectConversationError: the conversation is no group, so nobody can change it.
        NotOwnerError: only others own the group.
    """
    participant = membership(reader=owner, conversation_id=conversation_id)
    if participant.conversation.is_direct:
        raise DirectConversationError(
            "A direct conversation keeps its two people and has no title."
        )
    if participant.role != Participant.Role.OWNER:
        raise NotOwnerError("Only an owner of the group may do this.")
    return Ownership(participant)


def inviter(user: User) -> Inviter | None:
    """The user, if they may invite people to the server: superusers, and staff with the
    permission to add invite codes. They see and revoke each other's invitations.
    """
    # `has_perm` is true of each active superuser.
    entitled = user.is_staff or user.is_superuser
    return (
        Inviter(user)
        if entitled and user.has_perm("messaging.add_invitecode")
        else None
    )


def readable_message(*, reader: UserId, message_id: MessageId) -> ReadableMessage:
    """Fetch a message or tombstone, if the reader is a participant of its conversation.

    Raises:
        MessageNotFoundError: there is no such message, or the reader may not see it.
    """
    message = _readable.first(reader=reader, message=message_id)
    if message is None:
        raise message_not_found()
    return ReadableMessage(message)


def own_message(*, sender: UserId, message_id: MessageId) -> OwnMessage:
    """Fetch a message that its sender may change or delete.

    Raises:
        MessageNotFoundError: as for `readable_message`.
        DeletedMessageError: only its tombstone is left.
        NotSenderError: another user sent it.
    """
    message = _written_message(reader=sender, message_id=message_id)
    if message.sender_id != sender:
        raise NotSenderError("Only who sent a message may change or delete it.")
    return OwnMessage(message)


def received_message(*, reader: UserId, message_id: MessageId) -> ReceivedMessage:
    """Fetch a message that its reader may mark read and unread.

    Raises:
        MessageNotFoundError: as for `readable_message`.
        DeletedMessageError: only its tombstone is left.
        OwnMessageError: the reader sent it.
    """
    message = _written_message(reader=reader, message_id=message_id)
    if message.sender_id == reader:
        raise OwnMessageError(
            "Your own messages are neither read nor unread to you.",
            field="message_id",
        )
    return ReceivedMessage(message)


def conversations_naming(*user_ids: int) -> ConversationQuerySet:
    """The conversations whose pages may show the name of one of these users.

    Those are the conversations of the user, and those in which they wrote before they
    left.
    """
    joined = Participant.objects.filter(user__in=user_ids)
    wrote = Message.objects.filter(sender__in=user_ids)
    return Conversation.objects.filter(
        Q(pk__in=joined.values("conversation")) | Q(pk__in=wrote.values("conversation"))
    )


def superuser(*, user: User) -> Superuser:
    """Check that a user may do everything in the administration.

    Raises:
        RightsRequiredError
    """
    if not gives_rights(user):
        raise RightsRequiredError("Only a superuser may do this.")
    return Superuser(user)


def account_viewer(*, staff: User) -> AccountViewer:
    """Check that a user may see the accounts of all people.

    Raises:
        RightsRequiredError
    """
    _require_permission(staff, "view")
    return AccountViewer(staff)


def administered_account(
    *, staff: User, username: str, action: AccountAction
) -> AdministeredAccount:
    """Fetch somebody else's account, by its username in any case, for staff.

    Raises:
        RightsRequiredError: staff may not do this, or not to an account with rights.
        UserNotFoundError
        OwnAccountError: to one's own account, anything but to see it.
    """
    _require_permission(staff, action)
    user = User.objects.filter(username_key=username.lower()).first()
    if user is None:
        raise UserNotFoundError(f"There is no account named {username}.")
    _require_touchable(staff, user, action)
    return AdministeredAccount(user, UserId(staff.pk), action)


def administered_again(account: AdministeredAccount) -> User:
    """Check once more, when both accounts are locked; return the account as it is now.

    Otherwise two administrators who suspend each other at once would leave none.

    Raises:
        RightsRequiredError, UserNotFoundError
    """
    found = User.objects.in_bulk([account.by, account.user.pk])
    if len(found) < len({account.by, account.user.pk}):
        raise UserNotFoundError("There is no such person.")
    staff, user = found[account.by], found[account.user.pk]
    _require_permission(staff, account.action)
    _require_touchable(staff, user, account.action)
    return user


def gives_rights(user: User) -> bool:
    """Only superusers give rights, or touch accounts that have some."""
    return user.is_active and user.is_superuser


def may_touch(*, staff: User, user: User) -> bool:
    return gives_rights(staff) or not (user.is_staff or user.is_superuser)


def may_administer(staff: User, action: AccountAction) -> bool:
    """Whether staff may do this to accounts without rights."""
    return staff.is_staff and any(map(staff.has_perm, _PERMISSIONS[action]))


def conversation_not_found() -> ConversationNotFoundError:
    return ConversationNotFoundError("There is no such conversation.")


def message_not_found() -> MessageNotFoundError:
    return MessageNotFoundError("There is no such message.")


def message_deleted() -> DeletedMessageError:
    return DeletedMessageError("The message was deleted.")


def _written_message(*, reader: UserId, message_id: MessageId) -> ReadableMessage:
    message = readable_message(reader=reader, message_id=message_id)
    if message.deleted:
        raise message_deleted()
    return message


def _require_permission(staff: User, action: AccountAction) -> None:
    if not (gives_rights(staff) or may_administer(staff, action)):
        raise RightsRequiredError("You may not do this to accounts.")


def _require_touchable(staff: User, user: User, action: AccountAction) -> None:
    if action == "view":
        return
    if user.pk == staff.pk:
        raise OwnAccountError("This is your own account: see your settings.")
    if not may_touch(staff=staff, user=user):
        raise RightsRequiredError(
            "This account has rights: only a superuser may change it."
        )
