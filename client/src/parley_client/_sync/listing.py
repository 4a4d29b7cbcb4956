"""Lists, over all their pages.

Generated from _async/listing.py by scripts/client; do not edit.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

from parley_client._sync.session import Session
from parley_client.base import Page, Request

Item = TypeVar("Item")


class Listing(Generic[Item]):
    """The items of a list, page after page as they are asked for.

    Each iteration begins anew. While one goes on, nothing is read twice or passed
    over, whatever is added meanwhile.
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
        """One page: the first, or the one that begins at the cursor.

        Raises:
            RefusedError: the server said no.
            InvalidCursorError: it is of another list.
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
        """Every item, however many there are."""
        return [item for item in self]
