"""What must fail a test is seen: a watch that sees nothing would pass them all."""

import pytest

from tests.browser.conftest import Browse
from tests.browser.watching import Watch


@pytest.mark.parametrize(
    ("deed", "seen"),
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
def test_a_watch_sees(browse: Browse, watch: Watch, deed: str, seen: str) -> None:
    page = browse()
    page.goto("/sign-in")
    assert watch.problems == []
    page.evaluate(f"() => {{ {deed} }}")
    # Lets the browser speak; how long a turn takes decides nothing.
    while not any(seen in problem for problem in watch.problems):
        page.wait_for_timeout(10)
    watch.problems.clear()
