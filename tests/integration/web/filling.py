"""Fill in a form as a browser does: with the token and the version that stand on its page."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from order_sync.ledger.audit_models import AuditRow
from tests.houses import form_token_in
from tests.worlds import SmallWorld


def version_in(text: str, to: str = "") -> str:
    """Return the version that a page's form to an address carries; the first form's, when none is sent there."""
    forms = [form for form in text.split("<form")[1:] if 'name="version" value="' in form]
    form = next((form for form in forms if f'action="{to}"' in form), forms[0])
    return form.split('name="version" value="', 1)[1].split('"', 1)[0]


def submit(browser: TestClient, page: str, to: str | None = None, **fields: str) -> Response:
    """Open a page and send its form there, or to another address."""
    shown = browser.get(page)
    assert shown.status_code == 200, shown.text
    form = {"form_token": form_token_in(shown.text), "version": version_in(shown.text, to or page), **fields}
    return browser.post(to or page, data=form)


def buttons_in(text: str) -> list[str]:
    """Return what the buttons and the links that look like one say."""
    found = re.findall(r'<button[^>]*>(.*?)</button>|<a class="button[^>]*>(.*?)</a>', text, re.DOTALL)
    return [re.sub(r"<.*?>.*?</.*?>", "", one or other).strip() for one, other in found]


def deeds_of(world: SmallWorld) -> list[tuple[str, str]]:
    """Return who did what, by the audit trail."""
    with world.ledger.reading() as tx:
        return [(row.actor, row.action) for row in tx.session.scalars(select(AuditRow).order_by(AuditRow.id))]
