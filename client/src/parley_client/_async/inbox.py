"""The inbox of unread messages, and notifications."""

from collections.abc import AsyncIterator, Sequence

from parley_client import models, operations
from parley_client._async.bound import AsyncBound
from parley_client._async.listing import AsyncListing
from parley_client._async.messages import AsyncMessage
from parley_client._async.session import AsyncSession
from parley_client.base import Page
from parley_client.models import InboxReadIn, InboxSummary, NotificationData


class AsyncInboxPage(models.InboxPage):
    """A page of unread messages; marking read up to `up_to` includes all that came before."""

    items: Sequence[AsyncMessage]


class AsyncInbox:
    """Your unread messages of all conversations."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(
        self, cursor: str | None = None, *, page_size: int | None = None
    ) -> AsyncInboxPage:
        """A page of unread messages, newest first.

        Raises:
            InvalidCursorError
        """
        return await self._session.read(
            operations.inbox_list(limit=page_size, cursor=cursor), AsyncInboxPage
        )

    async def pages(self) -> AsyncIterator[AsyncInboxPage]:
        page = await self.page()
        yield page
        while page.next_cursor is not None:
            page = await self.page(page.next_cursor)
            yield page

    async def __aiter__(self) -> AsyncIterator[AsyncMessage]:
        async for page in self.pages():
            for message in page.items:
                yield message

    async def summary(self) -> InboxSummary:
        """Count your unread messages, mentions and conversations."""
        return await self._session.read(operations.inbox_summary(), InboxSummary)

    async def mark_read(self, up_to: str) -> None:
        """Mark messages read, up to the `up_to` of a page or summary; later ones stay unread.

        Raises:
            InvalidCursorError
        """
        await self._session.do(operations.inbox_mark_read(InboxReadIn(up_to=up_to)))


class AsyncNotification(NotificationData, AsyncBound):
    """A notification of a message."""

    message: AsyncMessage

    async def mark_read(self) -> None:
        """Mark the notification and its message read."""
        await self._session.do(operations.notifications_mark_read(self.id))


class AsyncNotifications:
    """Your notifications."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def __aiter__(self) -> AsyncIterator[AsyncNotification]:
        async for notification in self.list():
            yield notification

    def list(self, *, page_size: int | None = None) -> AsyncListing[AsyncNotification]:
        """What is unread, and the mentions and replies that are read; newest first."""
        request = operations.notifications_list(limit=page_size)
        return AsyncListing(self._session, request, Page[AsyncNotification])

    async def mark_read(self, notification_id: int) -> None:
        """Mark a notification and its message read.

        Raises:
            NotificationNotFoundError
        """
        await self._session.do(operations.notifications_mark_read(notification_id))
