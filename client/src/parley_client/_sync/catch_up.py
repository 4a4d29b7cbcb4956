"""What waits for you, by conversation and thread.

Generated from _async/catch_up.py by scripts/client; do not edit.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from parley_client import models, operations
from parley_client._sync.conversations import Conversation
from parley_client._sync.inbox import Notification
from parley_client._sync.messages import Message
from parley_client._sync.session import Session

Shown = Literal["all", "mentions", "replies"]


class UnreadThread(models.UnreadThreadData):
    """Unread messages that hang from one message, oldest first."""

    root: Message | None
    notifications: Sequence[Notification]


class UnreadConversation(models.UnreadConversationData):
    """A conversation with its oldest unread messages."""

    conversation: Conversation
    threads: Sequence[UnreadThread]

    @property
    def messages(self) -> list[Message]:
        """The messages of all its threads, as `conversation.mark_seen()` takes them."""
        return [
            notification.message
            for thread in self.threads
            for notification in thread.notifications
        ]


class CatchUpPage(models.CatchUpPage):
    items: Sequence[UnreadConversation]


class CatchUp:
    """What waits for you: all that is unread, but of muted conversations only mentions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(
        self,
        cursor: str | None = None,
        *,
        show: Shown = "all",
        page_size: int | None = None,
    ) -> CatchUpPage:
        """A page of conversations; with a conversation's cursor, more of that one.

        Raises:
            InvalidCursorError
        """
        request = operations.catch_up_list(show=show, limit=page_size, cursor=cursor)
        return self._session.read(request, CatchUpPage)

    def __iter__(self) -> Iterator[UnreadConversation]:
        """Each conversation, with its oldest messages."""
        page = self.page()
        for conversation in page.items:
            yield conversation
        while page.next_cursor is not None:
            page = self.page(page.next_cursor)
            for conversation in page.items:
                yield conversation
