"""Compare both sides of one practice's period: every order and every entry in exactly one class, and the sums proved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from order_sync.reconciliation.classes import DifferenceClass, Section
from order_sync.reconciliation.entries_without_order import list_entries
from order_sync.reconciliation.frames import LINES, Facts, check
from order_sync.reconciliation.lines import make_lines
from order_sync.reconciliation.links import link_entries
from order_sync.reconciliation.orders_not_posted import classify_not_posted, due_since
from order_sync.reconciliation.orders_posted import classify_posted, has_money
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.positions import weigh_orders
from order_sync.reconciliation.proof import prove
from order_sync.reconciliation.refunds import classify_refunds, owes_nothing
from order_sync.statuses import OrderState

UTC_DAY = "dated by the day in UTC"
ELSEWHERE = "also on another patient than decided"
OFFLINE_TOO = "a part was refunded offline"

_DECIDED_BY_LEDGER = (
    DifferenceClass.VOIDED_AS_REFUND,
    DifferenceClass.VOIDED,
    DifferenceClass.IN_FLIGHT,
    DifferenceClass.OVERDUE,
    DifferenceClass.NEEDS_A_PERSON,
    DifferenceClass.LOST_POSTING,
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a practice may set."""

    tolerance_cents: int = 0
    """Up to here two amounts that differ are listed, but nobody has to act."""
    in_flight: timedelta = timedelta(minutes=20)
    """How long an order may wait for the sync before it is overdue: a tick and its run."""


def reconcile(facts: Facts, period: Period, *, practice_id: str, as_of: datetime, rules: Rules | None = None) -> pd.DataFrame:
    """Return the lines of a period (`LINES`), entries first, then orders, then refunds, each by its id.

    `as_of` is when both sides were read: it tells *in flight* from *overdue*. The same facts give the same lines, in whatever
    order their rows come. Raises `ReconciliationError` when the lines do not prove themselves.
    """
    rules = rules or Rules()
    linked = link_entries(facts)
    orders = weigh_orders(facts, linked, period)
    posted = classify_posted(orders, period, tolerance_cents=rules.tolerance_cents)
    classes = posted.fillna(classify_not_posted(orders, as_of=as_of, in_flight=rules.in_flight))
    is_settled = owes_nothing(orders, classes)
    lines = pd.concat(
        [
            list_entries(facts, linked, orders, period),
            _list_orders(orders, classes, posted.notna(), is_settled),
            _list_refunds(orders, classify_refunds(orders, is_settled), is_settled),
        ],
        ignore_index=True,
    )
    prove(lines, facts, linked, period, practice_id=practice_id)
    return check(LINES, lines)


def _list_orders(
    orders: pd.DataFrame, classes: pd.Series, is_posted: pd.Series[bool], is_settled: pd.Series[bool]
) -> pd.DataFrame:
    returned_cents = orders["memo_cents_in"].where(is_settled, 0)
    is_listed = orders["is_placed_in"] | (orders["paid_count_in"] > 0) | (returned_cents > 0)
    store_cents = orders["expected_cents"].where(orders["is_placed_in"], 0) - returned_cents
    orders, classes = orders[is_listed], classes[is_listed]
    is_voided = _is_one_of(classes, DifferenceClass.VOIDED, DifferenceClass.VOIDED_AS_REFUND)
    section = pd.Series(Section.POSTED.name, orders.index).where(is_posted[is_listed], Section.NOT_POSTED.name)
    return make_lines(
        subject="order:" + orders["entity_id"].astype(str),
        section=section,
        class_=classes,
        entity_id=orders["entity_id"],
        number=orders["number"],
        payment_ids=orders["paid_payment_ids"].mask(is_voided, orders["void_payment_ids"]),
        store_day=orders["placed_day"],
        nextech_day=orders["paid_day"].mask(is_voided, orders["void_day"]),
        store_cents=store_cents[is_listed],
        nextech_cents=orders["paid_cents_in"],
        at_stake_cents=orders["expected_cents"].mask(orders["expected_cents"] == 0, orders["paid_cents"]),
        since=_order_since(orders, classes),
        reason=_order_reason(orders, classes),
        detail=_order_detail(orders, classes),
        marker=orders["marker"],
    )


def _order_reason(orders: pd.DataFrame, classes: pd.Series) -> pd.Series:
    """Return the ledger's reason where the ledger decided the class, else the store's; none for a payment that stands."""
    is_ledgers = _is_one_of(classes, *_DECIDED_BY_LEDGER)
    is_standing = has_money(orders) & ~_is_one_of(classes, DifferenceClass.POSTED_BUT_NOT_DUE)
    return orders["reason"].mask(is_ledgers & orders["ledger_reason"].notna(), orders["ledger_reason"]).mask(is_standing)


def _is_one_of(classes: pd.Series, *wanted: DifferenceClass) -> pd.Series[bool]:
    return classes.isin([class_.value for class_ in wanted])


def _order_since(orders: pd.DataFrame, classes: pd.Series) -> pd.Series:
    """Return from when an order's age counts: its hold, its case, its posting or its capture, where the ledger knows it."""
    is_waiting = orders["ledger_state"] == OrderState.WAITING
    is_held = (classes == DifferenceClass.ON_HOLD) & is_waiting
    is_case = classes == DifferenceClass.NEEDS_A_PERSON
    is_late = _is_one_of(classes, DifferenceClass.IN_FLIGHT, DifferenceClass.OVERDUE)
    is_gone = _is_one_of(classes, DifferenceClass.LOST_POSTING, DifferenceClass.VOIDED)
    since = orders["placed_at"].mask(is_late, due_since(orders))
    since = since.mask((is_held | is_case) & orders["ledger_changed_at"].notna(), orders["ledger_changed_at"])
    return since.mask(is_gone & orders["ledger_posted_at"].notna(), orders["ledger_posted_at"])


def _order_detail(orders: pd.DataFrame, classes: pd.Series) -> pd.Series:
    is_shifted = _is_one_of(classes, DifferenceClass.DATE_SHIFTED, DifferenceClass.CUTOFF)
    is_utc_day = orders["placed_at"].dt.tz_localize(None).dt.normalize() == orders["paid_day"]
    is_amount = _is_one_of(classes, DifferenceClass.OVER, DifferenceClass.SHORT, DifferenceClass.SPLIT_INCOMPLETE)
    is_elsewhere = is_amount & (orders["paid_elsewhere_count"] > 0)
    detail = orders["ledger_detail"].where(_is_one_of(classes, *_DECIDED_BY_LEDGER))
    return detail.mask(is_shifted & is_utc_day, UTC_DAY).mask(is_elsewhere, ELSEWHERE)


def _list_refunds(orders: pd.DataFrame, classes: pd.Series, is_settled: pd.Series[bool]) -> pd.DataFrame:
    is_moved_in = (orders["memo_count_in"] > 0) | (orders["back_count_in"] > 0)
    is_listed = classes.notna() & is_moved_in
    orders, classes, is_settled = orders[is_listed], classes[is_listed], is_settled[is_listed]
    returned_cents = orders["memo_cents"].where(~is_settled, 0)
    whole_cents = returned_cents.mask(returned_cents == 0, orders["back_cents"])
    return make_lines(
        subject="order:" + orders["entity_id"].astype(str),
        section=Section.REFUND,
        class_=classes,
        entity_id=orders["entity_id"],
        number=orders["number"],
        payment_ids=orders["back_payment_ids"],
        store_day=orders["memo_day"],
        nextech_day=orders["back_day"],
        store_cents=-orders["memo_cents_in"].where(~is_settled, 0),
        nextech_cents=-orders["back_cents_in"],
        at_stake_cents=whole_cents.mask(whole_cents == 0, orders["memo_offline_cents"]),
        since=orders["memo_at"].fillna(orders["placed_at"]),
        detail=pd.Series(OFFLINE_TOO, orders.index).where((orders["memo_offline_cents"] > 0) & (whole_cents > 0)),
        marker=orders["marker"],
    )
