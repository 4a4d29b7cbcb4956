"""Messages, their threads, receipts and histories."""

from __future__ import annotations

from collections.abc import Sequence

from parley_client import operations
from parley_client._async.bound import AsyncBound
from parley_client._async.listing import AsyncListing
from parley_client._async.session import AsyncSession
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


class AsyncMessageActions(AsyncBound):
    """The methods that all kinds of messages share."""

    id: int
    conversation_id: int
    version: int

    async def reply(
        self, content: str, *, idempotency_key: str | None = None
    ) -> AsyncMessage:
        """Send a reply to the message, in its conversation.

        Raises:
            MessageDeletedError: only its tombstone is left.
            NotDeliverableError: one of you blocked the other.
            InvalidContentError
        """
        body = MessageIn(content=content, parent_message_id=self.id)
        return await self._session.read(
            operations.messages_send(
                self.conversation_id, body, idempotency_key=idempotency_key
            ),
            AsyncMessage,
        )

    async def edit(
        self,
        content: str,
        *,
        overwrite: bool = False,
        idempotency_key: str | None = None,
    ) -> AsyncMessage:
        """Change the content, unless the message was edited since you read it.

        With `overwrite` the content is changed in any case.

        Raises:
            StaleVersionError: the message was edited since; `refresh` it.
            NotSenderError, MessageDeletedError, InvalidContentError
        """
        request = operations.messages_edit(
            self.id,
            MessagePatch(content=content),
            if_match=None if overwrite else self._etag,
            idempotency_key=idempotency_key,
        )
        return await self._session.read(request, AsyncMessage)

    async def delete(self, *, overwrite: bool = False) -> None:
        """Delete the message and its history, unless it was edited since you read it.

        With `overwrite` it is deleted in any case.

        Raises:
            StaleVersionError: the message was edited since; `refresh` it.
            NotSenderError, MessageDeletedError
        """
        await self._session.do(
            operations.messages_delete(
                self.id, if_match=None if overwrite else self._etag
            )
        )

    async def refresh(self) -> AsyncMessage:
        """Fetch the message again.

        Raises:
            MessageNotFoundError: the message is gone.
        """
        return await self._session.read(operations.messages_get(self.id), AsyncMessage)

    async def mark_read(self) -> None:
        """Mark the message read: it leaves your inbox.

        Raises:
            OwnMessageError: you sent the message.
        """
        await self._session.do(operations.messages_mark_read(self.id))

    async def mark_unread(self) -> None:
        """Mark the message unread: it returns to your inbox.

        Raises:
            OwnMessageError: you sent the message.
        """
        await self._session.do(operations.messages_mark_unread(self.id))

    async def thread(
        self, *, depth: int | None = None, nodes: int | None = None
    ) -> AsyncThread:
        """The message and its replies as a tree: by default 20 levels and 500 messages."""
        return await self._session.read(
            operations.threads_get(self.id, depth=depth, nodes=nodes), AsyncThread
        )

    def all_replies(self, *, page_size: int | None = None) -> AsyncListing[AsyncReply]:
        """All replies below the message, of any depth: each message before its replies."""
        request = operations.threads_list_replies(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[AsyncReply])

    def receipts(self, *, page_size: int | None = None) -> AsyncListing[Receipt]:
        """The people who were notified of the message, and whether each has read it."""
        request = operations.messages_list_receipts(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[Receipt])

    def history(self, *, page_size: int | None = None) -> AsyncListing[Version]:
        """All versions of the message, oldest first, the present content last."""
        request = operations.history_list(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[Version])

    async def restore(
        self, version: int, *, idempotency_key: str | None = None
    ) -> AsyncMessage:
        """Make an earlier version the content again, as a new edit.

        Raises:
            VersionNotFoundError: the message has no version of this number.
            NotSenderError, MessageDeletedError
        """
        request = operations.history_restore(
            self.id, version, idempotency_key=idempotency_key
        )
        return await self._session.read(request, AsyncMessage)

    @property
    def _etag(self) -> str:
        return f'"{self.id}.{self.version}"'


class AsyncMessage(MessageData, AsyncMessageActions):
    """A message, or the tombstone of a deleted message that has replies."""


class AsyncReply(ReplyData, AsyncMessageActions):
    """A message of a flat thread, with its depth."""


class AsyncThread(ThreadData, AsyncMessageActions):
    """A message with the replies below it, as a tree."""

    replies: Sequence[AsyncThread]


class AsyncMessages:
    """Messages: sending to a person, and fetching by id."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def send(
        self,
        receiver: str,
        content: str,
        *,
        reply_to: MessageData | None = None,
        idempotency_key: str | None = None,
    ) -> AsyncMessage:
        """Send a message to one person; the first one creates your direct conversation.

        Raises:
            UserNotFoundError: no active account has this username.
            NotDeliverableError: one of you blocked the other.
            SelfMessageError, InvalidContentError
        """
        body = DirectMessageIn(
            receiver=receiver,
            content=content,
            parent_message_id=None if reply_to is None else reply_to.id,
        )
        request = operations.messages_send_direct(body, idempotency_key=idempotency_key)
        return await self._session.read(request, AsyncMessage)

    async def get(self, message_id: int) -> AsyncMessage:
        """Fetch a message.

        Raises:
            MessageNotFoundError: there is no such message, or you may not read it.
        """
        return await self._session.read(
            operations.messages_get(message_id), AsyncMessage
        )
