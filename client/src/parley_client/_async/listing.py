"""Lists, over all their pages."""

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from parley_client._async.session import AsyncSession
from parley_client.base import Page, Request

Item = TypeVar("Item")


class AsyncListing(Generic[Item]):
    """The items of a list, page after page as they are asked for.

    Each iteration begins anew. While one goes on, nothing is read twice or passed
    over, whatever is added meanwhile.
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
        """One page: the first, or the one that begins at the cursor.

        Raises:
            RefusedError: the server said no.
            InvalidCursorError: it is of another list.
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
        """Every item, however many there are."""
        return [item async for item in self]
