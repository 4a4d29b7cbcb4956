"""What tests do with a page, and find on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page

NEW_PASSWORD = "four other unrelated words"

_ON_SCREEN = """() => {
    const screen = document.querySelector("#scroll").getBoundingClientRect();
    return [...document.querySelectorAll(".message")].filter((row) => {
        const { bottom } = row.getBoundingClientRect();
        return bottom > screen.top + 1 && bottom <= screen.bottom + 1;
    }).map((row) => Number(row.dataset.sequence));
}"""


@contextmanager
def nothing_reloads(page: Page) -> Iterator[None]:
    """What is done meanwhile swaps parts of the page, and never loads another."""
    page.evaluate("window.stays = true")
    yield
    assert page.evaluate("window.stays === true")


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def in_main(page: Page, text: str) -> Locator:
    """On the page itself, and not in what stands beside it."""
    return page.locator("main").get_by_text(text)


def message(page: Page, content: str) -> Locator:
    return page.locator(".message", has_text=content)


def open_menu(page: Page, content: str, entry: str) -> None:
    row = message(page, content)
    row.hover()
    row.get_by_label("More about this message").click()
    row.get_by_role("link", name=entry, exact=True).click()


def on_screen(page: Page) -> set[int]:
    """The sequences of the messages whose end is on the screen."""
    return set(page.evaluate(_ON_SCREEN))


def wait_until(page: Page, is_so: Callable[[], bool]) -> None:
    while not is_so():
        # Lets the browser speak; how long a turn takes decides nothing.
        page.wait_for_timeout(20)
