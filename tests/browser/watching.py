"""What a browser complains of, and what must never happen in one."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request


# Playwright leaves marks on whose methods it calls: no slots.
@dataclass
class Watch:
    """Collects what goes wrong in a browser; what a test provokes, it forgives."""

    url: str
    problems: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._heard)
        context.on("weberror", lambda error: self._saw(f"uncaught: {error.error}"))
        context.on("dialog", self._asked)
        context.on("request", self._requested)

    def forgive(self, *statuses: int) -> None:
        """Refusals, such as a 422, are errors on the console of every browser."""
        for status in statuses:
            self.forgiven.append(f"(status of|Status Error Code) {status} ")

    def forgive_disconnection(self) -> None:
        """What cannot be sent is told by the browser and by htmx, with its event."""
        self.forgiven.append(
            "ERR_INTERNET_DISCONNECTED|error: htmx:(afterRequest|sendError),"
        )

    def check(self) -> None:
        """Fail, unless all there was is forgiven."""
        left = [
            problem
            for problem in self.problems
            if not any(re.search(pattern, problem) for pattern in self.forgiven)
        ]
        assert not left, "\n".join(left)

    def _saw(self, problem: str) -> None:
        self.problems.append(problem)

    def _heard(self, message: ConsoleMessage) -> None:
        # Violations of the Content-Security-Policy are errors too.
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self._saw(f"console {message.type}: {message.text} ({where})")

    def _asked(self, dialog: Dialog) -> None:
        self._saw(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "blob:")):
            self._saw(f"asked another server: {request.url}")
