"""What the Orders pages say to somebody who may only look, and what the API says to anybody: none of it is about a patient."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from order_sync.ledger.models import CaseRow, OrderRow
from order_sync.ledger.report_models import ReportRow
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of
from tests.worlds import SmallWorld

_PAGES = ("/", "/orders.csv", "/queue", "/reports", "/health", "/api", "/api/openapi.json")
_CALLS = ("/api/orders", "/api/queue", "/api/reports", "/api/practices", "/api/health")


def shown_without_patients(world: SmallWorld) -> Iterator[str]:
    """Yield every answer, of the orders and cases one of each kind."""
    orders, cases, reports = _ids(world)
    house = SmallHouse(world)
    pages = [*_PAGES, *(f"/orders/{one}" for one in orders), *(f"/queue/{one}" for one in cases)]
    calls = [
        *_CALLS,
        *(f"/api/orders/{one}{rest}" for one in orders for rest in ("", "/history")),
        *(f"/api/queue/{one}" for one in cases),
        *(f"/api/reports/{one}" for one in reports),
        "/audit",
    ]
    for login, paths in ((LOOKER.login, pages), (ACTOR.login, calls)):
        with browser_of(house, login) as browser:
            for path in paths:
                answer = browser.get(path)
                assert answer.status_code in {200, 503}, path
                yield answer.text


def _ids(world: SmallWorld) -> tuple[list[int], list[int], list[str]]:
    with world.ledger.reading() as tx:
        orders = {(row.state, row.reason, row.detail): row.id for row in tx.session.scalars(select(OrderRow))}
        cases = {(row.state, row.reason): row.id for row in tx.session.scalars(select(CaseRow))}
        reports = list(tx.session.scalars(select(ReportRow.report_id)))
    return list(orders.values()), list(cases.values()), reports
