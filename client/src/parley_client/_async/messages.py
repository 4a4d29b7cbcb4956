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
    """What can be done with a message, wherever it was read."""

    id: int
    conversation_id: int
    version: int

    async def reply(
        self, content: str, *, idempotency_key: str | None = None
    ) -> AsyncMessage:
        """Send a reply to it, into its conversation.

        Raises:
            MessageDeletedError: only its tombstone is left.
            NotDeliverableError: there is a block between you.
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
        return await self._session.read(request, AsyncMessage)

    async def delete(self, *, overwrite: bool = False) -> None:
        """Delete it with its history, if it still says what you see.

        Raises:
            StaleVersionError: it was edited since; `refresh` it.
            NotSenderError, MessageDeletedError
        """
        await self._session.do(
            operations.messages_delete(
                self.id, if_match=None if overwrite else self._etag
            )
        )

    async def refresh(self) -> AsyncMessage:
        """What it says now.

        Raises:
            MessageNotFoundError: it is gone.
        """
        return await self._session.read(operations.messages_get(self.id), AsyncMessage)

    async def mark_read(self) -> None:
        """Take it out of your inbox.

        Raises:
            OwnMessageError: you sent it yourself.
        """
        await self._session.do(operations.messages_mark_read(self.id))

    async def mark_unread(self) -> None:
        """Bring it back into your inbox.

        Raises:
            OwnMessageError: you sent it yourself.
        """
        await self._session.do(operations.messages_mark_unread(self.id))

    async def thread(
        self, *, depth: int | None = None, nodes: int | None = None
    ) -> AsyncThread:
        """The replies below it as a tree: 20 levels and 500 messages, unless told."""
        return await self._session.read(
            operations.threads_get(self.id, depth=depth, nodes=nodes), AsyncThread
        )

    def all_replies(self, *, page_size: int | None = None) -> AsyncListing[AsyncReply]:
        """All replies below it in reading order, of any depth."""
        request = operations.threads_list_replies(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[AsyncReply])

    def receipts(self, *, page_size: int | None = None) -> AsyncListing[Receipt]:
        """Who was notified of it, and whether they have read it."""
        request = operations.messages_list_receipts(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[Receipt])

    def history(self, *, page_size: int | None = None) -> AsyncListing[Version]:
        """What it said, oldest first, what it says now last."""
        request = operations.history_list(self.id, limit=page_size)
        return AsyncListing(self._session, request, Page[Version])

    async def restore(
        self, version: int, *, idempotency_key: str | None = None
    ) -> AsyncMessage:
        """Bring back what it said, as a new edit.

        Raises:
            VersionNotFoundError: it never had so many.
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
    """A message; a deleted one with replies stays, empty, in its place."""


class AsyncReply(ReplyData, AsyncMessageActions):
    """A message in a thread's reading order."""


class AsyncThread(ThreadData, AsyncMessageActions):
    """A message with the replies below it."""

    replies: Sequence[AsyncThread]


class AsyncMessages:
    """Messages, by whom they are for or by their id."""

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
        return await self._session.read(request, AsyncMessage)

    async def get(self, message_id: int) -> AsyncMessage:
        """Read a message.

        Raises:
            MessageNotFoundError: there is none, or none that you may read.
        """
        return await self._session.read(
            operations.messages_get(message_id), AsyncMessage
        )
