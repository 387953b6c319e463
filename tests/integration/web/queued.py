"""Cases of two practices, and how they stand on the pages."""

from __future__ import annotations

import re

from order_sync.ledger.cases import open_case, order_cause
from order_sync.ledger.models import CaseRow
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.houses import SmallHouse
from tests.integration.ledger.rows import saved_order


def queue_order(
    ledger: Ledger, reason: Reason = Reason.NAME_DIFFERS, *, number: str, practice_id: str = "eastern", cents: int = 4_500
) -> CaseRow:
    """Queue an order, an hour after the one before."""
    order = saved_order(ledger, OrderState.QUEUED, reason, number=number, practice_id=practice_id, amount_cents=cents)
    with ledger.transaction() as tx:
        case_id = open_case(tx, practice_id=practice_id, cause=order_cause(order.id), reason=reason, order=order)
        return tx.session.get_one(CaseRow, case_id)


def three_cases(house: SmallHouse) -> list[CaseRow]:
    """Cases of two practices; the second one is the largest."""
    cases = []
    for number, reason, practice_id, cents in (
        ("000000101", Reason.NAME_DIFFERS, "eastern", 4_500),
        ("000000102", Reason.OUTCOME_UNKNOWN, "eastern", 99_900),
        ("000000201", Reason.NAME_DIFFERS, "central", 7_700),
    ):
        cases.append(queue_order(house.ledger, reason, number=number, practice_id=practice_id, cents=cents))
        house.world.clock.advance(hours=1)
    return cases


def numbers_in(text: str) -> list[str]:
    return re.findall(r'data-label="Order"><a href="/orders/\d+">([^<]*)</a>', text)


def case_now(house: SmallHouse, case: CaseRow) -> CaseRow:
    with house.ledger.reading() as tx:
        return tx.session.get_one(CaseRow, case.id)
