"""Conversations and who takes part in them.

Generated from _async/conversations.py by scripts/client; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    MessageData,
    MessageIn,
    Participant,
    ParticipantIn,
    ReadIn,
)


class Conversation(ConversationData, Bound):
    """A conversation as you see it in your list."""

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
            NotDeliverableError: there is a block between you.
            UnknownParentError: what it replies to is not in this conversation.
            ConversationNotFoundError: you take no part in it any more.
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
        """Its messages, newest first; or what came after a sequence, oldest first.

        `around`: begin with a page that has this message in its middle.
        """
        request = operations.messages_list(
            self.id,
            limit=page_size,
            around=None if around is None else around.id,
            after_sequence=after_sequence,
        )
        return Listing(self._session, request, Page[Message])

    def mark_read(self, *, up_to_sequence: int | None = None) -> None:
        """Mark what you see of it read: all up to its newest message in hand."""
        sequence = self.last_sequence if up_to_sequence is None else up_to_sequence
        self._session.do(
            operations.conversations_mark_read(self.id, ReadIn(up_to_sequence=sequence))
        )

    def refresh(self) -> Conversation:
        """As it is now.

        Raises:
            ConversationNotFoundError: you take no part in it any more.
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

    def participants(self, *, page_size: int | None = None) -> Listing[Participant]:
        """Everyone in it, in the order they came."""
        request = operations.participants_list(self.id, limit=page_size)
        return Listing(self._session, request, Page[Participant])

    def add(self, username: str) -> None:
        """Let someone in.

        Raises:
            UserNotFoundError, NotOwnerError, GroupFullError, NotDeliverableError
            DirectConversationError
        """
        body = ParticipantIn(role="member")
        self._session.do(operations.participants_put(self.id, username, body))

    def hand_over(self, username: str) -> None:
        """Make a participant the owner in your place.

        Raises:
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        request = operations.participants_put(
            self.id, username, ParticipantIn(role="owner")
        )
        # The second time it would be refused: you own the group no more.
        self._session.do(request.once())

    def remove(self, username: str) -> None:
        """Put someone out, or leave if it is yourself.

        Raises:
            ParticipantNotFoundError, NotOwnerError, DirectConversationError
        """
        self._session.do(operations.participants_remove(self.id, username))

    def typing(self) -> None:
        """Show the others for 6 seconds that you are writing; call at most every 3."""
        self._session.do(operations.conversations_typing(self.id))

    def mute(self) -> None:
        """Make its notifications silent from now on."""
        self._session.do(operations.conversations_mute(self.id))

    def unmute(self) -> None:
        self._session.do(operations.conversations_unmute(self.id))

    def hide(self) -> None:
        """Take it out of your list until its next message."""
        self._session.do(operations.conversations_hide(self.id))

    def unhide(self) -> None:
        self._session.do(operations.conversations_unhide(self.id))


class Conversations:
    """Your conversations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def start(
        self, username: str, *, idempotency_key: str | None = None
    ) -> Conversation:
        """Your direct conversation with someone, which begins now if there was none.

        Raises:
            UserNotFoundError: nobody has this name.
            NotDeliverableError: there is a block between you.
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
        """Start a group that you own.

        Raises:
            UnknownMemberError: nobody has one of these names.
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
        """Read a conversation.

        Raises:
            ConversationNotFoundError: there is none, or you take no part in it.
        """
        return self._session.read(
            operations.conversations_get(conversation_id), Conversation
        )

    def list(self, *, page_size: int | None = None) -> Listing[Conversation]:
        """Your conversations, the last active first."""
        request = operations.conversations_list(limit=page_size)
        return Listing(self._session, request, Page[Conversation])
