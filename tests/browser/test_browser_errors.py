"""Errors in a browser are collected: if they were not, every test would pass."""

import pytest

from tests.browser.browser_errors import BrowserErrors
from tests.browser.conftest import Browse


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        (
            "document.body.insertAdjacentHTML('beforeend', '<p onclick=1>')",
            "Content Security Policy",
        ),
        ("fetch('http://127.0.0.1:9').catch(() => 0)", "connect-src"),
        ("setTimeout(() => { throw new Error('oops'); })", "uncaught: oops"),
        ("console.error('oops')", "console error: oops"),
        ("setTimeout(() => alert('oops'))", "dialog: oops"),
        ("fetch('/api/v1/me').then(() => 0)", "status of 401"),
    ],
)
def test_browser_errors_are_collected(
    browse: Browse, browser_errors: BrowserErrors, action: str, seen: str
) -> None:
    page = browse()
    page.goto("/sign-in")
    assert browser_errors.errors == []
    page.evaluate(f"() => {{ {action} }}")
    # Lets Playwright process events; how long that takes does not matter.
    while not any(seen in problem for problem in browser_errors.errors):
        page.wait_for_timeout(10)
    browser_errors.errors.clear()
