"""Every situation of the demo, reconciled: the class that it should have, said by hand, against what both systems show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd

from order_sync.collect import Collected, collect_facts
from order_sync.desk import Desk
from order_sync.ledger.session import Ledger
from order_sync.reconciliation.classify import reconcile
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.refund_debt import settle_refunds
from sandbox.demo.practices import PRACTICES
from sandbox.demo.story import Situation
from sandbox.server import RunningSandbox
from tests.desks import open_desk, sync_all

BY_REASON = {
    "amount_zero": "nothing_to_post",
    "cancelled": "not_due",
    "refunded_before_posting": "not_due",
    "not_paid": "not_due",
    "under_review": "not_due",
    "partly_paid": "partly_paid",
    "on_hold": "on_hold",
    "integration_inactive": "disabled",
    None: "matched",
}
"""Whatever has another reason needs a person."""
REFUNDS = {"partly-refunded": "refund_to_record", "offline-refund": "refunded_offline"}
ENTRY_BY_HAND = "possible-manual-entry"


def expected(situation: Situation) -> set[str]:
    refund = {REFUNDS[situation.name]} if situation.name in REFUNDS else set()
    return {BY_REASON.get(situation.reason, "needs_a_person")} | refund


def lines_of(collected: Collected, desk: Desk, period: Period) -> pd.DataFrame:
    """Return the report's lines; that they tie to the cent is asserted by `reconcile`."""
    now = desk.clock.now()
    assert collected.not_read == ()
    return reconcile(collected.facts, period, practice_id=desk.practice.id, as_of=now)


def classes(lines: pd.DataFrame) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for number, name in zip(lines["number"], lines["class_"], strict=True):
        if isinstance(number, str):
            found.setdefault(number, set()).add(name)
    return found


def without_refunds(found: dict[str, set[str]]) -> dict[str, set[str]]:
    rest = {number: names - set(REFUNDS.values()) for number, names in found.items()}
    return {number: names for number, names in rest.items() if names}


def test_every_situation_is_in_its_class_and_yesterday_and_last_month_are_parts_of_it(sandbox: RunningSandbox, ledger: Ledger):
    sync_all(sandbox, ledger)
    for practice_id in PRACTICES:
        with open_desk(sandbox, ledger, practice_id) as desk:
            situations = [one for one in sandbox.world.situations if one.practice_id == practice_id]
            refunds = settle_refunds(desk, holder="a test")
            assert refunds.owed == sum(bool(one.also) for one in situations)
            assert settle_refunds(desk, holder="a test").changed == 0
            check_reports(desk, situations)


def check_reports(desk: Desk, situations: list[Situation]) -> None:
    today = desk.practice.business_day(datetime.now(UTC))
    everything = Period(min(one.business_day for one in situations), today)
    lines = lines_of(collect_facts(desk, everything), desk, everything)
    assert classes(lines) == {number: expected(one) for one in situations for number in one.order_numbers}

    by_hand = lines[lines["class_"] == "unlinked"]
    numbers = [number for one in situations if one.name == ENTRY_BY_HAND for number in one.order_numbers]
    assert list(by_hand["suggestion"]) == numbers
    assert len(lines) == len(by_hand) + sum(len(names) for names in classes(lines).values())

    for period in (day_of(today - timedelta(days=1)), month_of(today.replace(day=1) - timedelta(days=1)), month_of(today)):
        part = lines_of(collect_facts(desk, period), desk, period)
        of_period = [one for one in situations if period.contains(one.business_day)]
        expected_of = {number: expected(one) for one in of_period for number in one.order_numbers}
        # A refund belongs to the day of its credit memo, which the situations do not say.
        assert without_refunds(classes(part)) == without_refunds(expected_of)
