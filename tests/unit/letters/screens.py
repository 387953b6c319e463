"""Photograph the example letters and pages for docs/screens: `python -m tests.unit.letters.screens`.

The browser is the Chromium that CHROMIUM names, or /usr/bin/chromium.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

import order_sync.web
from order_sync.reports.contents import contents_of
from order_sync.reports.looks import page_sheet
from order_sync.reports.pages import Frame, ReportHeader, report_page, reports_page
from tests.unit.letters import statements
from tests.unit.letters.golden import LETTERS

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "screens"
_PIXELS, _HIGHEST = 1_850_000, 3_500
"""Of a picture: the end of a long letter is cut off, so that the repository stays small."""
FRAME = Frame("/orders/reports")
STYLE = (Path(order_sync.web.__file__).parent / "static" / "pages.css").read_text() + page_sheet()


def _list_page() -> str:
    makers = (statements.busy_day, statements.month, statements.empty_day, statements.arizona_at_the_change)
    headers = [
        ReportHeader(
            one.report_id,
            one.practice_name,
            one.period,
            one.version,
            one.variance_cents,
            to_do_count=len(contents_of(one).to_do),
            delivery="mailed",
        )
        for one in (make() for make in makers)
    ]
    return reports_page(FRAME, headers)


def photograph_all() -> None:
    """Write every picture anew."""
    day, month = LETTERS["busy_day"]().html, LETTERS["month"]().html
    pictures = {
        "daily": (day, 700, "light"),
        "phone": (day, 360, "light"),
        "monthly": (month, 700, "light"),
        "dark": (month, 360, "dark"),
        "alarm": (LETTERS["alarm_not_tied"]().html, 700, "light"),
        "page-list": (_list_page(), 700, "light"),
        "page-report": (report_page(FRAME, statements.busy_day()), 900, "light"),
    }
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"))
        for name, (html, width, scheme) in pictures.items():
            page = browser.new_page(viewport={"width": width, "height": 400}, color_scheme=scheme)
            page.set_content(html)
            if name.startswith("page-"):
                page.add_style_tag(content=STYLE)
            height = min(page.evaluate("document.documentElement.scrollHeight"), _PIXELS // width, _HIGHEST)
            clip = {"x": 0, "y": 0, "width": width, "height": height}
            page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip=clip)
            page.close()
        browser.close()


if __name__ == "__main__":
    photograph_all()
