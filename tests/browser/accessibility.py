"""What axe-core finds wrong with a page."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds wrong, and where."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(
        """async () => (await axe.run({resultTypes: ["violations"]})).violations
            .flatMap(({id, nodes}) => nodes.map(
                ({target, failureSummary}) => `${id} at ${target}: ${failureSummary}`
            ))"""
    )
    return found
