"""From the lines of a period to the statement that a letter, a workbook and a page are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

import pandas as pd

from order_sync.practices import Practice
from order_sync.reasons import Reason, next_step, sentence
from order_sync.reconciliation.ageing import sum_by_age
from order_sync.reconciliation.classes import TEXTS, DifferenceClass
from order_sync.reconciliation.daily_totals import count_entries, total_by_day
from order_sync.reconciliation.frames import Facts
from order_sync.reconciliation.periods import Period
from order_sync.reconciliation.positions import is_within
from order_sync.reconciliation.statement import ClassTotal, DayTotal, GiftCards, Line, Reopening, Statement

_RANK = {class_.value: rank for rank, class_ in enumerate(DifferenceClass)}
_OPEN_REFUNDS = [DifferenceClass.REFUND_TO_RECORD.value, DifferenceClass.REFUND_PARTLY_RECORDED.value]


def summarize(
    lines: pd.DataFrame,
    facts: Facts,
    period: Period,
    *,
    practice: Practice,
    version: int = 1,
    opening_gift_cards_cents: int | None = None,
    open_refunds: Iterable[tuple[date, int]] | None = None,
    reopened: tuple[Reopening, ...] = (),
    notes: Mapping[str, str] | None = None,
) -> Statement:
    """Return the statement of a period: totals, days, classes, every line, and what is shown beside the variance.

    `opening_gift_cards_cents` is what was owed before the period, None when no report says so. `open_refunds` are all refunds
    that are still to record, with the practice-local day of each memo; without it, those of the lines. Ages are counted at
    the period's cut-off, whenever this runs.
    """
    counted = facts.entries[count_entries(facts)]
    totals = total_by_day(facts, counted, period)
    sums = {str(name): int(cents) for name, cents in totals.sum().items()}
    is_placed_in = is_within(facts.orders["placed_day"], period)
    is_prepaid = is_placed_in & facts.orders["is_prepaid_service"]
    memos = facts.memos[is_within(facts.memos["created_day"], period)]
    return Statement(
        practice_id=practice.id,
        practice_name=practice.name,
        currency=practice.currency,
        time_zone=practice.time_zone,
        period=period,
        version=version,
        cut_off=period.cut_off(practice),
        store_in_cents=sums["captured"],
        store_back_cents=sums["returned"],
        posted_cents=sums["posted"],
        recorded_back_cents=sums["recorded"],
        classes=_total_by_class(lines),
        lines=tuple(_write_lines(lines, period.cut_off(practice))),
        days=tuple(
            DayTotal(day, int(captured - returned), int(posted - recorded))
            for day, captured, returned, posted, recorded in zip(
                period.days, *(totals[name].tolist() for name in ("captured", "returned", "posted", "recorded")), strict=True
            )
        ),
        gift_cards=_roll_gift_cards(facts.orders[is_placed_in], memos, opening_gift_cards_cents),
        unapplied=sum_by_age(_unapplied(counted), period.last_day),
        refund_ageing=sum_by_age(_refunds_of(lines) if open_refunds is None else open_refunds, period.last_day),
        prepaid_count=int(is_prepaid.sum()),
        prepaid_cents=int(facts.orders.loc[is_prepaid, "expected_cents"].sum()),
        offline_refund_cents=int(memos["offline_cents"].sum()),
        reopened=reopened,
        notes=dict(notes or {}),
    )


def _total_by_class(lines: pd.DataFrame) -> tuple[ClassTotal, ...]:
    amounts = ["store_cents", "nextech_cents", "explains_cents"]
    groups = lines.groupby("class_")
    sums = groups[amounts].sum().assign(count=groups.size())
    rows = sums.sort_index(key=lambda names: names.map(_RANK)).reset_index()
    return tuple(
        ClassTotal(DifferenceClass(class_), int(count), int(store), int(nextech), int(explains))
        for class_, store, nextech, explains, count in rows.itertuples(index=False)
    )


def _roll_gift_cards(orders: pd.DataFrame, memos: pd.DataFrame, opening_cents: int | None) -> GiftCards | None:
    """Return what is owed to holders of gift cards; None for a practice without any.

    What a refund gives back onto cards is owed again: it lessens what counts as refunded.
    """
    sold_cents, used_cents = int(orders["gift_cards_sold_cents"].sum()), int(orders["gift_cards_used_cents"].sum())
    refunded_cents = int(memos["gift_cards_refunded_cents"].sum() - memos["gift_cards_returned_cents"].sum())
    if opening_cents is None and not (sold_cents or used_cents or refunded_cents):
        return None
    return GiftCards(opening_cents or 0, sold_cents, used_cents, refunded_cents, is_opening_known=opening_cents is not None)


def _unapplied(counted: pd.DataFrame) -> Iterator[tuple[date, int]]:
    open_ = counted[(counted["amount_cents"] > 0) & (counted["unapplied_cents"].fillna(0) > 0)]
    return zip(open_["paid_day"].dt.date, open_["unapplied_cents"].astype("int64").tolist(), strict=True)


def _refunds_of(lines: pd.DataFrame) -> Iterator[tuple[date, int]]:
    """Return what the lines leave to record, by the memo's day."""
    open_ = lines[lines["class_"].isin(_OPEN_REFUNDS) & lines["store_day"].notna()]
    return zip(open_["store_day"].dt.date, (-open_["explains_cents"]).clip(lower=0).tolist(), strict=True)


def _write_lines(lines: pd.DataFrame, cut_off: datetime) -> Iterator[Line]:
    """Yield the lines ordered by class, then oldest first, then subject."""
    ranked = lines.assign(rank=lines["class_"].map(_RANK)).sort_values(["rank", "since", "subject"])
    ages = (pd.Timestamp(cut_off) - ranked["since"]).dt.days.clip(lower=0)
    columns = {str(name): _plain(ranked[name]) for name in ranked.columns}
    steps = {class_.value: TEXTS[class_].next_step for class_ in DifferenceClass}
    for values in zip(*columns.values(), _plain(ages), strict=True):
        row = dict(zip([*columns, "age_days"], values, strict=True))
        class_, reason, detail = row["class_"], row["reason"], row["detail"]
        is_for_a_person = class_ == DifferenceClass.NEEDS_A_PERSON and reason is not None
        yield Line(
            subject=row["subject"],
            class_=DifferenceClass(class_),
            store_cents=row["store_cents"],
            nextech_cents=row["nextech_cents"],
            explains_cents=row["explains_cents"],
            at_stake_cents=row["at_stake_cents"],
            entity_id=row["entity_id"],
            number=row["number"],
            payment_ids=tuple((row["payment_ids"] or "").split()),
            store_day=row["store_day"].date() if row["store_day"] else None,
            nextech_day=row["nextech_day"].date() if row["nextech_day"] else None,
            since=row["since"].to_pydatetime() if row["since"] else None,
            age_days=None if row["age_days"] is None else int(row["age_days"]),
            reason=sentence(Reason(reason), detail) if reason else detail,
            suggestion=row["suggestion"],
            marker=row["marker"],
            next_step=next_step(Reason(reason)) if is_for_a_person else steps[class_],
        )


def _plain(column: pd.Series) -> list[object]:
    """Return Python values; None for what is missing."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()
