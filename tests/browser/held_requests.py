"""Requests held back until a test releases them, as a slow server would."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Page, Route, expect


# Playwright sets attributes on objects whose methods it calls: no slots.
@dataclass
class HeldRequests:
    """The requests to one address, in the order in which they were made."""

    page: Page
    routes: list[Route] = field(default_factory=list)

    def take(self, number: int = 1) -> Route:
        """Wait until that many are held; answers the last of them."""
        while len(self.routes) < number:
            # Lets Playwright process events; how long that takes does not matter.
            self.page.wait_for_timeout(10)
        return self.routes[number - 1]

    def hold(self, route: Route) -> None:
        self.routes.append(route)


@contextmanager
def hold_requests(
    page: Page, address: str, *, method: str = "POST"
) -> Iterator[HeldRequests]:
    """Hold the requests of a page to an address; those still held at the end are released."""
    held = HeldRequests(page)

    def on_route(route: Route) -> None:
        if route.request.method == method:
            held.hold(route)
        else:
            route.fallback()

    page.route(address, on_route)
    yield held
    page.unroute(address, on_route)


def events_are_heard(page: Page) -> None:
    """Wait until events from now on reach the page."""
    page.wait_for_function("() => window.parleyLiveEvents?.isConnected()")


def offline(context: BrowserContext, page: Page, *, is_offline: bool) -> None:
    """Cut or restore the connection, and wait until the page shows it."""
    context.set_offline(is_offline)
    banner = page.get_by_text("You are offline.")
    (expect(banner).to_be_visible if is_offline else expect(banner).to_be_hidden)()
