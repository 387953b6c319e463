"""The health page: whether the sync is on time, per practice, and what is late or did not leave."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from order_sync.health import read_health
from order_sync.ledger.session import Ledger
from order_sync.practices import Practice
from order_sync.web.health_words import Judged, judge, sum_up, worst_of
from order_sync.web.house import InHouse, Practices
from order_sync.web.rendering import page

router = APIRouter(include_in_schema=False)

REFRESH_SECONDS = 60
_ORDERS_SHOWN = 10


@router.get("/health")
def show_health(request: Request, house: InHouse, practices: Practices) -> HTMLResponse:
    """Answer with how the sync is doing."""
    judged = judge_all(house.ledger, practices)
    return page(
        request,
        "health.html",
        {
            "judged": judged,
            "verdict": worst_of(judged),
            "summary": sum_up(judged) if judged else "There is no practice that you may see.",
            "refresh_seconds": REFRESH_SECONDS,
            "orders_shown": _ORDERS_SHOWN,
        },
        menu="health",
    )


def judge_all(ledger: Ledger, practices: Mapping[str, Practice]) -> list[Judged]:
    """Read and judge the health of each practice."""
    with ledger.reading() as tx:
        found = [(practice, read_health(tx, practice)) for practice in practices.values()]
    return [judge(practice, health) for practice, health in found]
