"""The sizes and colours in which every page must be right."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Page

from tests.browser.accessibility import violations
from tests.browser.conftest import DESKTOP, PHONE

_SCREENS: Final[Mapping[tuple[int, int], Sequence[Literal["light", "dark"]]]] = {
    DESKTOP: ("light", "dark"),
    PHONE: ("light", "dark"),
    (768, 1024): ("light",),
    # With all panes.
    (1920, 1080): ("dark",),
    # That of 1280, magnified to 400 % (WCAG 2.2, 1.4.10).
    (320, 256): ("light",),
}


def assert_right_on_every_screen(page: Page, *, name: str, folder: Path) -> None:
    """Show the open page in all of them, and keep pictures `NAME-1280-dark.png` of it.

    It is accessible, and nothing of it is to be scrolled to the side.
    """
    for (width, height), modes in _SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        for mode in modes:
            page.emulate_media(color_scheme=mode)
            page.screenshot(path=folder / f"{name}-{width}-{mode}.png", full_page=True)
            assert violations(page) == [], (width, mode)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width
