"""The README's two screenshots, taken of a fresh demo: `scripts/screenshots`."""

import os
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.browser.demo_pages import page_paths, seed_demo
from tests.browser.signed_in_users import SignedInUser
from tests.live_server import LiveServer, served_database

FOLDER: Final = Path(__file__).parents[2] / "docs" / "images"
SIZE: Final[ViewportSize] = {"width": 1280, "height": 800}
# Flat colours and text: so many look like all of them.
_COLOURS: Final = 160


def main() -> None:
    path = find_chromium()
    if path is None:
        raise SystemExit("scripts/screenshots: there is no Chromium here.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served_database(Path(folder)) as environment,
        sync_playwright() as playwright,
    ):
        server = LiveServer.start(environment, processes=1)
        try:
            maya = seed_demo(server, environment)
            browser = playwright.chromium.launch(
                executable_path=path, args=ARGUMENTS, timeout=60_000
            )
            take(browser, server.urls[0], maya)
            browser.close()
        finally:
            server.stop()


def take(browser: Browser, url: str, maya: SignedInUser) -> None:
    paths = page_paths(maya)
    for name, dark in (("conversation", False), ("thread", True)):
        context = browser.new_context(
            base_url=url,
            viewport=SIZE,
            device_scale_factor=1.5,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            locale="en-GB",
        )
        context.add_cookies([{"name": "sessionid", "value": maya.session, "url": url}])
        page = context.new_page()
        page.goto(paths[name])
        file = FOLDER / f"{name}.png"
        page.screenshot(path=file)
        with Image.open(file) as taken:
            taken.convert("RGB").quantize(_COLOURS).save(file, optimize=True)


if __name__ == "__main__":
    main()
