"""Limits of size and rules of accessibility that every page keeps."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse
from tests.browser.demo_pages import (
    ADMINISTRATION_PAGES,
    ERRORS,
    PAGES,
    SIGNED_OUT_PAGES,
)
from tests.browser.screens import assert_right_on_every_screen
from tests.browser.signed_in_users import SignedInUser

MOST_BYTES = 100_000


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
    assert_right_on_every_screen(page, name=name, folder=screenshots)


def received(wire: CDPSession) -> list[float]:
    """Bytes over the wire, headers too, of each answer as it ends."""
    sizes: list[float] = []
    wire.on(
        "Network.loadingFinished",
        lambda event: sizes.append(event["encodedDataLength"]),
    )
    return sizes
