"""Lists that are fetched page by page."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from parley_client._async.session import AsyncSession
from parley_client.base import Page, Request

Item = TypeVar("Item")


class AsyncListing(Generic[Item]):
    """A list whose pages are fetched while it is iterated.

    Each iteration starts again at the first page. If items are added meanwhile, no
    other item is repeated or skipped.
    """

    def __init__(
        self,
        session: AsyncSession,
        request: Request[Page[Item]],
        page: type[Page[Item]],
    ) -> None:
        self._session = session
        self._request = request
        self._page = page

    async def page(self, cursor: str | None = None) -> Page[Item]:
        """Fetch the first page, or the page at a cursor.

        Raises:
            RefusedError: the server refused the request.
            InvalidCursorError: the cursor belongs to another list.
        """
        return await self._session.read(self._request.at(cursor), self._page)

    async def pages(self) -> AsyncIterator[Page[Item]]:
        page = await self.page()
        yield page
        while page.next_cursor is not None:
            page = await self.page(page.next_cursor)
            yield page

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def first(self) -> Item | None:
        """The first item, if there is one."""
        page = await self.page()
        return page.items[0] if page.items else None

    async def all(self) -> list[Item]:
        """All items, in a list in memory."""
        return [item async for item in self]
