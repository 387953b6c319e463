"""What a browser must not show while somebody looks: errors in its console, dialogs, requests to anybody else."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Error, Page, Request


@dataclass
class Watch:
    """Note what goes wrong on one page; `host` is the only one that it may talk to."""

    host: str
    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Page:
        """Begin to watch."""
        page.on("console", self._hear)
        page.on("pageerror", self._fail)
        page.on("dialog", self._dismiss)
        page.on("request", self._follow)
        return page

    @property
    def complaints(self) -> list[str]:
        """Return everything that was noted."""
        return [*self.errors, *self.dialogs, *self.foreign]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _fail(self, error: Error) -> None:
        self.errors.append(f"script: {error.message}")

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(f"dialog: {dialog.type}")
        dialog.dismiss()

    def _follow(self, request: Request) -> None:
        # A blob names, after its scheme, the page that made it; Airflow's own pages start their workers from blobs.
        where = urlsplit(request.url.removeprefix("blob:"))
        if where.scheme not in ("data", "about") and where.netloc != self.host:
            self.foreign.append(f"request to {where.scheme}://{where.netloc}")
