"""Messages, their threads, receipts and histories.

Generated from _async/messages.py by scripts/client; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence

from parley_client import operations
from parley_client._sync.bound import Bound
from parley_client._sync.listing import Listing
from parley_client._sync.session import Session
from parley_client.base import Page
from parley_client.models import (
    DirectMessageIn,
    MessageData,
    MessageIn,
    MessagePatch,
    Receipt,
    ReplyData,
    ThreadData,
    Version,
)


class MessageActions(Bound):
    """What can be done with a message, wherever it was read."""

    id: int
    conversation_id: int
    version: int

    def reply(self, content: str, *, idempotency_key: str | None = None) -> Message:
        """Send a reply to it, into its conversation.

        Raises:
            MessageDeletedError: only its tombstone is left.
            NotDeliverableError: there is a block between you.
            InvalidContentError
        """
        body = MessageIn(content=content, parent_message_id=self.id)
        return self._session.read(
            operations.messages_send(
                self.conversation_id, body, idempotency_key=idempotency_key
            ),
            Message,
        )

    def edit(
        self,
        content: str,
        *,
        overwrite: bool = False,
        idempotency_key: str | None = None,
    ) -> Message:
        """Say something else, if it still says what you see; `overwrite` does anyway.

        Raises:
            StaleVersionError: it was edited since; `refresh` it.
            NotSenderError, MessageDeletedError, InvalidContentError
        """
        request = operations.messages_edit(
            self.id,
            MessagePatch(content=content),
            if_match=None if overwrite else self._etag,
            idempotency_key=idempotency_key,
        )
        return self._session.read(request, Message)

    def delete(self, *, overwrite: bool = False) -> None:
        """Delete it with its history, if it still says what you see.

        Raises:
            StaleVersionError: it was edited since; `refresh` it.
            NotSenderError, MessageDeletedError
        """
        self._session.do(
            operations.messages_delete(
                self.id, if_match=None if overwrite else self._etag
            )
        )

    def refresh(self) -> Message:
        """What it says now.

        Raises:
            MessageNotFoundError: it is gone.
        """
        return self._session.read(operations.messages_get(self.id), Message)

    def mark_read(self) -> None:
        """Take it out of your inbox.

        Raises:
            OwnMessageError: you sent it yourself.
        """
        self._session.do(operations.messages_mark_read(self.id))

    def mark_unread(self) -> None:
        """Bring it back into your inbox.

        Raises:
            OwnMessageError: you sent it yourself.
        """
        self._session.do(operations.messages_mark_unread(self.id))

    def thread(self, *, depth: int | None = None, nodes: int | None = None) -> Thread:
        """The replies below it as a tree: 20 levels and 500 messages, unless told."""
        return self._session.read(
            operations.threads_get(self.id, depth=depth, nodes=nodes), Thread
        )

    def all_replies(self, *, page_size: int | None = None) -> Listing[Reply]:
        """All replies below it in reading order, of any depth."""
        request = operations.threads_list_replies(self.id, limit=page_size)
        return Listing(self._session, request, Page[Reply])

    def receipts(self, *, page_size: int | None = None) -> Listing[Receipt]:
        """Who was notified of it, and whether they have read it."""
        request = operations.messages_list_receipts(self.id, limit=page_size)
        return Listing(self._session, request, Page[Receipt])

    def history(self, *, page_size: int | None = None) -> Listing[Version]:
        """What it said, oldest first, what it says now last."""
        request = operations.history_list(self.id, limit=page_size)
        return Listing(self._session, request, Page[Version])

    def restore(self, version: int, *, idempotency_key: str | None = None) -> Message:
        """Bring back what it said, as a new edit.

        Raises:
            VersionNotFoundError: it never had so many.
            NotSenderError, MessageDeletedError
        """
        request = operations.history_restore(
            self.id, version, idempotency_key=idempotency_key
        )
        return self._session.read(request, Message)

    @property
    def _etag(self) -> str:
        return f'"{self.id}.{self.version}"'


class Message(MessageData, MessageActions):
    """A message; a deleted one with replies stays, empty, in its place."""


class Reply(ReplyData, MessageActions):
    """A message in a thread's reading order."""


class Thread(ThreadData, MessageActions):
    """A message with the replies below it."""

    replies: Sequence[Thread]


class Messages:
    """Messages, by whom they are for or by their id."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(
        self,
        receiver: str,
        content: str,
        *,
        reply_to: MessageData | None = None,
        idempotency_key: str | None = None,
    ) -> Message:
        """Send to one person; the first message starts your direct conversation.

        Raises:
            UserNotFoundError: nobody has this name.
            NotDeliverableError: there is a block between you.
            SelfMessageError, InvalidContentError
        """
        body = DirectMessageIn(
            receiver=receiver,
            content=content,
            parent_message_id=None if reply_to is None else reply_to.id,
        )
        request = operations.messages_send_direct(body, idempotency_key=idempotency_key)
        return self._session.read(request, Message)

    def get(self, message_id: int) -> Message:
        """Read a message.

        Raises:
            MessageNotFoundError: there is none, or none that you may read.
        """
        return self._session.read(operations.messages_get(message_id), Message)
