"""The sizes and colours in which every page must be right."""

from itertools import product
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page

from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE

_MODES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def assert_right_on_every_screen(page: Page, *, name: str, folder: Path) -> None:
    """Show the open page in all of them, and keep pictures `NAME-1280-dark.png` of it.

    It is accessible, and nothing of it is to be scrolled to the side.
    """
    for (width, height), mode in product((DESKTOP, PHONE), _MODES):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=mode)
        page.screenshot(path=folder / f"{name}-{width}-{mode}.png", full_page=True)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
