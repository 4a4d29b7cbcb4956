"""What waits for you, by conversation and thread."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

from parley_client import models, operations
from parley_client._async.conversations import AsyncConversation
from parley_client._async.inbox import AsyncNotification
from parley_client._async.messages import AsyncMessage
from parley_client._async.session import AsyncSession

Shown = Literal["all", "mentions", "replies"]


class AsyncUnreadThread(models.UnreadThreadData):
    """Unread messages that hang from one message, oldest first."""

    root: AsyncMessage | None
    notifications: Sequence[AsyncNotification]


class AsyncUnreadConversation(models.UnreadConversationData):
    """A conversation with its oldest unread messages."""

    conversation: AsyncConversation
    threads: Sequence[AsyncUnreadThread]

    @property
    def messages(self) -> list[AsyncMessage]:
        """The messages of all its threads, as `conversation.mark_seen()` takes them."""
        return [
            notification.message
            for thread in self.threads
            for notification in thread.notifications
        ]


class AsyncCatchUpPage(models.CatchUpPage):
    items: Sequence[AsyncUnreadConversation]


class AsyncCatchUp:
    """What waits for you: all that is unread, but of muted conversations only mentions."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(
        self,
        cursor: str | None = None,
        *,
        show: Shown = "all",
        page_size: int | None = None,
    ) -> AsyncCatchUpPage:
        """A page of conversations; with a conversation's cursor, more of that one.

        Raises:
            InvalidCursorError
        """
        request = operations.catch_up_list(show=show, limit=page_size, cursor=cursor)
        return await self._session.read(request, AsyncCatchUpPage)

    async def __aiter__(self) -> AsyncIterator[AsyncUnreadConversation]:
        """Each conversation, with its oldest messages."""
        page = await self.page()
        for conversation in page.items:
            yield conversation
        while page.next_cursor is not None:
            page = await self.page(page.next_cursor)
            for conversation in page.items:
                yield conversation
