"""Errors that a browser reports, and requests that it must never make."""

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Request


# Playwright sets attributes on objects whose methods it calls: no slots.
@dataclass
class BrowserErrors:
    """Collects the errors of a browser; a test allows those that it provokes."""

    url: str
    errors: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._add(f"uncaught: {error.error}"))
        context.on("dialog", self._on_dialog)
        context.on("request", self._on_request)

    def allow(self, *statuses: int) -> None:
        """Refusals, such as a 422, are errors on the console of every browser."""
        for status in statuses:
            self.allowed.append(f"(status of|Status Error Code) {status} ")

    def allow_disconnection(self) -> None:
        """A failed request is reported by the browser and by htmx, with its event."""
        self.allowed.append(
            "ERR_INTERNET_DISCONNECTED|error: htmx:(afterRequest|sendError),"
        )

    def allow_failures(self) -> None:
        """The browser reports requests that a test lets fail."""
        self.allowed.append("net::ERR_FAILED")

    def check(self) -> None:
        """Fail, unless all errors were allowed."""
        left = [
            problem
            for problem in self.errors
            if not any(re.search(pattern, problem) for pattern in self.allowed)
        ]
        assert not left, "\n".join(left)

    def _add(self, problem: str) -> None:
        self.errors.append(problem)

    def _on_console(self, message: ConsoleMessage) -> None:
        # Violations of the Content-Security-Policy are errors too.
        if message.type in {"error", "warning"}:
            where = message.location.get("url", "")
            self._add(f"console {message.type}: {message.text} ({where})")

    def _on_dialog(self, dialog: Dialog) -> None:
        self._add(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "blob:")):
            self._add(f"asked another server: {request.url}")
