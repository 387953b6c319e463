"""Ways to break what keeps people's decisions about accounts, entries by hand, wrong patients and releases in order."""

from __future__ import annotations

from typing import Any

import pytest

from order_sync.eligibility import Due, NeedsPerson, decide_due
from order_sync.intake import RELEASED_BY_A_PERSON
from order_sync.ledger.models import OrderRow, PaymentRow
from order_sync.money import cents
from order_sync.posting_rules import Voided
from tests.integration.sync.guards.breaking import Break, both, put, returns


class _Everybody(frozenset[str]):
    """Contains whoever is asked for."""

    def __contains__(self, _: object) -> bool:
        return True


NOBODY_DECLINED = returns(frozenset(), "order_sync.accounts.declined_by_person", "order_sync.match.declined_by_person")
NOBODY_DECLINED_IN_A_RECOVERY = returns(frozenset(), "order_sync.accounts.declined_by_person")
EVERYBODY_DECLINED = returns(_Everybody(), "order_sync.accounts.declined_by_person", "order_sync.match.declined_by_person")


def own_chart(payment: PaymentRow) -> frozenset[str]:
    return frozenset({payment.patient_id})


LOOK_AT_THE_NEW_CHART_ALONE = put(own_chart, "order_sync.post.charts_of", "order_sync.verify.charts_of")
VOIDED_WITHOUT_A_LOOK = returns(Voided(), "order_sync.undo.verdict_on")
POST_ANEW_WITHOUT_A_LOOK = both(VOIDED_WITHOUT_A_LOOK, LOOK_AT_THE_NEW_CHART_ALONE)


def let_everything_through(order: Any, practice: Any, *, released: Any = ()) -> Any:
    """Take an order that was released for one reason for one that is due."""
    decision = decide_due(order, practice)
    if isinstance(decision, NeedsPerson) and decision.reason in released:
        return Due(cents(order.totals.grand_total), practice.business_day(order.placed_at))
    return decision


def release_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a release outlive the order that was released."""
    monkeypatch.setattr(OrderRow, "let_through", property(lambda _: RELEASED_BY_A_PERSON))


RELEASE_EVERYTHING: Break = put(let_everything_through, "order_sync.intake.decide_due")
