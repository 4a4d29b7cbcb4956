"""Lists that are fetched page by page.

Generated from _async/listing.py by scripts/client; do not edit.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from parley_client._sync.session import Session
from parley_client.base import Page, Request

Item = TypeVar("Item")


class Listing(Generic[Item]):
    """A list whose pages are fetched while it is iterated.

    Each iteration starts again at the first page. If items are added meanwhile, no
    other item is repeated or skipped.
    """

    def __init__(
        self,
        session: Session,
        request: Request[Page[Item]],
        page: type[Page[Item]],
    ) -> None:
        self._session = session
        self._request = request
        self._page = page

    def page(self, cursor: str | None = None) -> Page[Item]:
        """Fetch the first page, or the page at a cursor.

        Raises:
            RefusedError: the server refused the request.
            InvalidCursorError: the cursor belongs to another list.
        """
        return self._session.read(self._request.at(cursor), self._page)

    def pages(self) -> Iterator[Page[Item]]:
        page = self.page()
        yield page
        while page.next_cursor is not None:
            page = self.page(page.next_cursor)
            yield page

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            for item in page.items:
                yield item

    def first(self) -> Item | None:
        """The first item, if there is one."""
        page = self.page()
        return page.items[0] if page.items else None

    def all(self) -> list[Item]:
        """All items, in a list in memory."""
        return [item for item in self]
