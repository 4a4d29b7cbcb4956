"""A real browser against a real server. No test here touches a database itself.

Playwright's synchronous calls keep an event loop running in this thread, in which
Django refuses its ORM and asyncio another loop: so the browser ends with this
package, and does not last for the session as the server does.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.browser_errors import BrowserErrors
from tests.browser.demo_pages import make_administrator, page_paths, seed_demo
from tests.browser.signed_in_users import TIMEOUT, SignedInUser
from tests.live_server import LiveServer, served_database

DESKTOP = (1280, 900)
PHONE = (390, 844)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MILLISECONDS = TIMEOUT * 1000


class Browse(Protocol):
    """Open a browser of its own: of someone signed in, or of nobody."""

    def __call__(
        self,
        someone: SignedInUser | None = None,
        *,
        scripts: bool = True,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        touch: bool = False,
    ) -> Page: ...


class NewPerson(Protocol):
    def __call__(self, name: str) -> SignedInUser: ...


@pytest.fixture(scope="session")
def server_environment(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, str]]:
    with served_database(tmp_path_factory.mktemp("browser")) as environment:
        yield environment


@pytest.fixture(scope="session")
def server(server_environment: Mapping[str, str]) -> Iterator[LiveServer]:
    server = LiveServer.start(server_environment, processes=1)
    try:
        # Else its pages would be those of a first run.
        server.register("first")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The distribution's browser: Playwright's own is not downloaded."""
    path = find_chromium()
    if path is None:
        reason = f"There is no browser here ({', '.join(_NAMES)})."
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason} In CI it is required.")
        pytest.skip(reason)
    return path


@pytest.fixture(scope="package")
def chromium(chromium_path: str) -> Iterator[Browser]:
    expect.set_options(timeout=_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path, args=ARGUMENTS, timeout=_MILLISECONDS
        )
        yield browser
        browser.close()


@pytest.fixture
def browser_errors(server: LiveServer) -> BrowserErrors:
    """Over every browser of the test."""
    return BrowserErrors(server.urls[0])


@pytest.fixture
def browse(
    chromium: Browser, server: LiveServer, browser_errors: BrowserErrors
) -> Iterator[Browse]:
    yield partial(_opened, chromium, server.urls[0], browser_errors)
    for context in chromium.contexts:
        context.close()
    browser_errors.check()


@pytest.fixture
def new_person(server: LiveServer) -> NewPerson:
    return partial(SignedInUser.new, server)


@pytest.fixture
def ann(new_person: NewPerson) -> SignedInUser:
    return new_person("Ann")


@pytest.fixture
def bob(new_person: NewPerson) -> SignedInUser:
    return new_person("Bob")


@pytest.fixture
def conversation_id(ann: SignedInUser, bob: SignedInUser) -> int:
    """Of the two, in which nothing was said yet."""
    return ann.start_direct(bob)


@pytest.fixture
def page(browse: Browse, ann: SignedInUser) -> Page:
    """Ann's, with nothing open yet."""
    return browse(ann)


@pytest.fixture(scope="session")
def maya(server: LiveServer, server_environment: Mapping[str, str]) -> SignedInUser:
    return seed_demo(server, server_environment)


@pytest.fixture(scope="session")
def root(server: LiveServer, server_environment: Mapping[str, str]) -> SignedInUser:
    """An administrator."""
    return make_administrator(server, server_environment)


@pytest.fixture(scope="session")
def paths(maya: SignedInUser) -> Mapping[str, str]:
    return page_paths(maya)


@pytest.fixture(params=[True, False], ids=["scripts", "no-scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """What a test promises holds with JavaScript and without."""
    return bool(request.param)


@pytest.fixture
def screenshots() -> Path:
    folder = Path(__file__).parents[2] / "var" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _opened(
    chromium: Browser,
    url: str,
    browser_errors: BrowserErrors,
    someone: SignedInUser | None = None,
    *,
    scripts: bool = True,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    touch: bool = False,
) -> Page:
    width, height = size
    context = chromium.new_context(
        base_url=url,
        java_script_enabled=scripts,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        has_touch=touch,
        is_mobile=touch,
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(_MILLISECONDS)
    browser_errors.attach(context)
    if someone is not None:
        context.add_cookies(
            [{"name": "sessionid", "value": someone.session, "url": url}]
        )
    return context.new_page()
