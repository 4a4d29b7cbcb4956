"""Limits of size and rules of accessibility that every page keeps."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import CDPSession, Page

from tests.browser.accessibility import violations
from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import DESKTOP, PHONE, Browse
from tests.browser.demo_pages import (
    ADMINISTRATION_PAGES,
    ERRORS,
    PAGES,
    SIGNED_OUT_PAGES,
)
from tests.browser.signed_in_users import SignedInUser

MOST_BYTES = 100_000
MODES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@pytest.mark.parametrize("name", [*SIGNED_OUT_PAGES, *PAGES, *ADMINISTRATION_PAGES])
def test_a_page_is_small_and_accessible_however_it_is_shown(
    browse: Browse,
    browser_errors: BrowserErrors,
    maya: SignedInUser,
    root: SignedInUser,
    paths: Mapping[str, str],
    screenshots: Path,
    name: str,
) -> None:
    if name in ERRORS:
        browser_errors.allow(ERRORS[name])
    reader = root if name in ADMINISTRATION_PAGES else maya
    page = browse(None if name in SIGNED_OUT_PAGES else reader)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes = received(wire)
    page.goto(paths[name], wait_until="load")
    assert 0 < sum(sizes) < MOST_BYTES
    for size, mode in product((DESKTOP, PHONE), MODES):
        show(page, size, mode)
        file = screenshots / f"{name}-{size[0]}-{mode}.png"
        page.screenshot(path=file, full_page=True)
        assert violations(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0]


def show(page: Page, size: tuple[int, int], mode: Literal["light", "dark"]) -> None:
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=mode)


def received(wire: CDPSession) -> list[float]:
    """Bytes over the wire, headers too, of each answer as it ends."""
    sizes: list[float] = []
    wire.on(
        "Network.loadingFinished",
        lambda event: sizes.append(event["encodedDataLength"]),
    )
    return sizes
