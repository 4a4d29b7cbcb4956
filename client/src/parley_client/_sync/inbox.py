"""The inbox of unread messages, and notifications.

Generated from _async/inbox.py by scripts/client; do not edit.
"""

from collections.abc import Iterator, Sequence

from parley_client import models, operations
from parley_client._sync.bound import Bound
from parley_client._sync.listing import Listing
from parley_client._sync.messages import Message
from parley_client._sync.session import Session
from parley_client.base import Page
from parley_client.models import InboxReadIn, InboxSummary, NotificationData


class InboxPage(models.InboxPage):
    """A page of unread messages; marking read up to `up_to` includes all that came before."""

    items: Sequence[Message]


class Inbox:
    """Your unread messages of all conversations."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(
        self, cursor: str | None = None, *, page_size: int | None = None
    ) -> InboxPage:
        """A page of unread messages, newest first.

        Raises:
            InvalidCursorError
        """
        return self._session.read(
            operations.inbox_list(limit=page_size, cursor=cursor), InboxPage
        )

    def pages(self) -> Iterator[InboxPage]:
        page = self.page()
        yield page
        while page.next_cursor is not None:
            page = self.page(page.next_cursor)
            yield page

    def __iter__(self) -> Iterator[Message]:
        for page in self.pages():
            for message in page.items:
                yield message

    def summary(self) -> InboxSummary:
        """Count your unread messages, mentions and conversations."""
        return self._session.read(operations.inbox_summary(), InboxSummary)

    def mark_read(self, up_to: str) -> None:
        """Mark messages read, up to the `up_to` of a page or summary; later ones stay unread.

        Raises:
            InvalidCursorError
        """
        self._session.do(operations.inbox_mark_read(InboxReadIn(up_to=up_to)))


class Notification(NotificationData, Bound):
    """A notification of a message."""

    message: Message

    def mark_read(self) -> None:
        """Mark the notification and its message read."""
        self._session.do(operations.notifications_mark_read(self.id))


class Notifications:
    """Your notifications."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __iter__(self) -> Iterator[Notification]:
        for notification in self.list():
            yield notification

    def list(self, *, page_size: int | None = None) -> Listing[Notification]:
        """What is unread, and the mentions and replies that are read; newest first."""
        request = operations.notifications_list(limit=page_size)
        return Listing(self._session, request, Page[Notification])

    def mark_read(self, notification_id: int) -> None:
        """Mark a notification and its message read.

        Raises:
            NotificationNotFoundError
        """
        self._session.do(operations.notifications_mark_read(notification_id))
