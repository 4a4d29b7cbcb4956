"""Conversations and their participants.

Generated from _async/conversations.py by scripts/client; do not edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from parley_client import operations
from parley_client._sync.bound import Bound
from parley_client._sync.listing import Listing
from parley_client._sync.messages import Message
from parley_client._sync.session import Session
from parley_client.base import Page
from parley_client.models import (
    ConversationData,
    ConversationPatch,
    DirectIn,
    GroupIn,
    Invitation,
    InvitationIn,
    Invited,
    IssuedInvitation,
    MessageData,
    MessageIn,
    Participant,
    ParticipantIn,
    ReadIn,
)
from parley_client.ranges import seen

_A_WEEK: Final = 7 * 24 * 3600


class Conversation(ConversationData, Bound):
    """A conversation as its participant sees it in their list."""

    last_message: Message | None

    def send(
        self,
        content: str,
        *,
        reply_to: MessageData | None = None,
        idempotency_key: str | None = None,
    ) -> Message:
        """Send a message.

        Raises:
            NotDeliverableError: one of you blocked the other.
            UnknownParentError: `reply_to` is not in this conversation.
            ConversationNotFoundError: you are no participant any more.
            InvalidContentError
        """
        body = MessageIn(
            content=content,
            parent_message_id=None if reply_to is None else reply_to.id,
        )
        request = operations.messages_send(
            self.id, body, idempotency_key=idempotency_key
        )
        return self._session.read(request, Message)

    def messages(
        self,
        *,
        page_size: int | None = None,
        around: MessageData | None = None,
        after_sequence: int | None = None,
    ) -> Listing[Message]:
        """The messages, newest first; with `after_sequence` those after it, oldest first.

        With `around`, the first page has this message in its middle.
        """
        request = operations.messages_list(
            self.id,
            limit=page_size,
            around=None if around is None else around.id,
            after_sequence=after_sequence,
        )
        return Listing(self._session, request, Page[Message])

    def mark_read(self, *, up_to_sequence: int | None = None) -> None:
        """Mark messages read, up to `up_to_sequence` or the `last_sequence` of this object.

        A message that arrived after this object was read stays unread.
        """
        sequence = self.last_sequence if up_to_sequence is None else up_to_sequence
        self._session.do(
            operations.conversations_mark_read(self.id, ReadIn(up_to_sequence=sequence))
        )

    def mark_seen(self, messages: Iterable[MessageData]) -> None:
        """Mark just these of its messages read, such as those that were on the screen.

        Leave out what your user marked unread until they open the conversation again.
        """
        for body in seen(message.sequence for message in messages):
            self._session.do(operations.conversations_mark_read(self.id, body))

    def refresh(self) -> Conversation:
        """Fetch the conversation again.

        Raises:
            ConversationNotFoundError: you are no participant any more.
        """
        request = operations.conversations_get(self.id)
        return self._session.read(request, Conversation)

    def rename(self, title: str, *, idempotency_key: str | None = None) -> Conversation:
        """Give a group another title.

        Raises:
            NotOwnerError, DirectConversationError, InvalidTitleError
        """
        request = operations.conversations_update(
            self.id, ConversationPatch(title=title), idempotency_key=idempotency_key
        )
        return self._session.read(request, Conversation)

    def participants(
        self, *, matching: str | None = None, page_size: int | None = None
    ) -> Listing[Participant]:
        """All participants, in the order in which they joined.

        With `matching`, those who have this text anywhere in their names.
        """
        request = operations.participants_list(self.id, query=matching, limit=page_size)
        return Listing(self._session, request, Page[Participant])

    def add(self, username: str) -> None:
        """Add a person to the group, as an owner of it.

        Raises:
            UserNotFoundError, NotOwnerError, GroupFullError, NotDeliverableError
            DirectConversationError
        """
        body = ParticipantIn(role="member")
        self._session.do(operations.participants_put(self.id, username, body))

    def hand_over(self, username: str) -> None:
        """Make another participant an owner; you become a member.

        Raises:
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        request = operations.participants_put(
            self.id, username, ParticipantIn(role="owner")
        )
        # Do not repeat it: after a success whose answer was lost, you are no owner, and
        # the repetition is refused.
        self._session.do(request.once())

    def add_owner(self, username: str) -> None:
        """Make a participant one more owner of the group, as an owner of it.

        Raises:
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        self._session.do(operations.owners_add(self.id, username))

    def remove_owner(self, username: str) -> None:
        """Make an owner of the group, perhaps yourself, a member again.

        Raises:
            OwnerRequiredError: nobody else owns the group.
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        request = operations.owners_remove(self.id, username)
        # Do not repeat it: of yourself, the repetition is refused, as in `hand_over`.
        self._session.do(request.once())

    def invite(
        self, *, max_uses: int = 1, expires_in: int = _A_WEEK
    ) -> IssuedInvitation:
        """Make an invitation to the group, as an owner of it.

        Its code and its link are secrets, which the server shows this once. It lasts
        `expires_in` seconds.

        Raises:
            NotOwnerError, DirectConversationError
            TooManyInvitationsError: the group has as many as it may have.
            NoAnswerError: it may have been made; the request is not repeated.
        """
        body = InvitationIn(max_uses=max_uses, expires_in=expires_in)
        return self._session.read(
            operations.invitations_create(self.id, body), IssuedInvitation
        )

    def invitations(self, *, page_size: int | None = None) -> Listing[Invitation]:
        """The invitations to the group, newest first, as an owner of it."""
        request = operations.invitations_list(self.id, limit=page_size)
        return Listing(self._session, request, Page[Invitation])

    def revoke_invitation(self, invitation_id: int) -> None:
        """Revoke an invitation to the group: nobody can use it from now on.

        Raises:
            InvitationNotFoundError, NotOwnerError, DirectConversationError
        """
        self._session.do(operations.invitations_revoke(self.id, invitation_id))

    def remove(self, username: str) -> None:
        """Remove a participant from the group, or leave it by naming yourself.

        Raises:
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        self._session.do(operations.participants_remove(self.id, username))

    def typing(self) -> None:
        """Show the other participants for 6 seconds that you are typing; call it at most
        every 3.
        """
        self._session.do(operations.conversations_typing(self.id))

    def mute(self) -> None:
        """Leave the conversation out of badges, except mentions; new notifications are silent."""
        self._session.do(operations.conversations_mute(self.id))

    def unmute(self) -> None:
        self._session.do(operations.conversations_unmute(self.id))

    def hide(self) -> None:
        """Hide the conversation from your list until its next message."""
        self._session.do(operations.conversations_hide(self.id))

    def unhide(self) -> None:
        self._session.do(operations.conversations_unhide(self.id))


class Conversations:
    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self, username: str, *, idempotency_key: str | None = None
    ) -> Conversation:
        """Fetch your direct conversation with a person; the first call creates it.

        Raises:
            UserNotFoundError: no active account has this username.
            NotDeliverableError: one of you blocked the other.
            SelfMessageError
        """
        return self._session.read(
            operations.conversations_start(
                DirectIn(participant=username), idempotency_key=idempotency_key
            ),
            Conversation,
        )

    def start_group(
        self,
        title: str,
        usernames: Sequence[str],
        *,
        idempotency_key: str | None = None,
    ) -> Conversation:
        """Create a group, which you own.

        Raises:
            UnknownMemberError: one of the usernames has no active account.
            NotDeliverableError, GroupFullError, InvalidTitleError
        """
        return self._session.read(
            operations.conversations_start(
                GroupIn(title=title, participants=usernames),
                idempotency_key=idempotency_key,
            ),
            Conversation,
        )

    def get(self, conversation_id: int) -> Conversation:
        """Fetch a conversation.

        Raises:
            ConversationNotFoundError: there is no such conversation, or you are no
                participant.
        """
        return self._session.read(
            operations.conversations_get(conversation_id), Conversation
        )

    def __iter__(self) -> Iterator[Conversation]:
        for conversation in self.list():
            yield conversation

    def list(self, *, page_size: int | None = None) -> Listing[Conversation]:
        """Your conversations, the most recently active first."""
        request = operations.conversations_list(limit=page_size)
        return Listing(self._session, request, Page[Conversation])


class Invitations:
    """Invitations that you were sent. Whoever has a code can use it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, code: str) -> Invited:
        """What an invitation is to; needs no token.

        Raises:
            InvalidInviteError
        """
        return self._session.read(operations.invitations_get(code), Invited)

    def accept(self, code: str) -> Conversation:
        """Join a group by an invitation; in the group already, nothing is used up.

        Raises:
            InvalidInviteError, GroupFullError
        """
        return self._session.read(operations.invitations_accept(code), Conversation)
