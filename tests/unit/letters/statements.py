"""Statements of invented practices, built from lines so that they tie, as a real one does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.reconciliation.statement import AgeBand, ClassTotal, DayTotal, GiftCards, Line, Reopening, Statement
from order_sync.reports.letters import Alarm, AlarmKind

C = DifferenceClass
_ORDER = list(DifferenceClass)
NEW_YORK, PHOENIX, CHICAGO = "America/New_York", "America/Phoenix", "America/Chicago"
NAMES = {"eastern": "Biscayne Dermatology", "central": "Lakeshore Skin Center", "arizona": "Saguaro Dermatology"}
ZONES = {"eastern": NEW_YORK, "central": CHICAGO, "arizona": PHOENIX}
MONDAY = date(2026, 11, 2)
NO_GIFT_CARDS = GiftCards(0, 0, 0, 0, is_opening_known=True)


def line(class_: DifferenceClass, order: int | str, store: int = 0, nextech: int = 0, **more: Any) -> Line:
    """A line of an order, or of an entry when `payment_ids` is all that there is."""
    text = f"{order:09d}" if isinstance(order, int) else order
    values: dict[str, Any] = {
        "subject": f"order:{order}",
        "number": text,
        "store_day": MONDAY,
        "at_stake_cents": abs(store) or abs(nextech),
        "age_days": 0,
    }
    if nextech:
        values |= {"payment_ids": (f"8{text[-4:]}",), "nextech_day": MONDAY}
    values |= more
    return Line(class_=class_, store_cents=store, nextech_cents=nextech, explains_cents=store - nextech, **values)


def entry(class_: DifferenceClass, payment_id: str, nextech: int, **more: Any) -> Line:
    """A line of a payment without an order."""
    return line(
        class_,
        payment_id,
        0,
        nextech,
        **{"subject": f"entry:{payment_id}", "number": None, "store_day": None, "payment_ids": (payment_id,), **more},
    )


def statement(practice: str, period: Period, lines: Iterable[Line], **more: Any) -> Statement:
    """A statement that ties, of these lines."""
    ordered = tuple(sorted(lines, key=lambda one: (_ORDER.index(one.class_), -(one.age_days or 0), one.subject)))
    totals = []
    for class_ in DifferenceClass:
        members = [one for one in ordered if one.class_ is class_]
        if members:
            store, nextech = sum(one.store_cents for one in members), sum(one.nextech_cents for one in members)
            totals.append(ClassTotal(class_, len(members), store, nextech, store - nextech))
    by_day = {day: [0, 0] for day in period.days}
    for one in ordered:
        by_day[one.store_day if one.store_day in by_day else period.first_day][0] += one.store_cents
        by_day[one.nextech_day if one.nextech_day in by_day else period.first_day][1] += one.nextech_cents
    zone = ZoneInfo(ZONES[practice])
    midnight = datetime.combine(period.last_day + timedelta(days=1), datetime.min.time(), zone)
    values: dict[str, Any] = {
        "practice_id": practice,
        "practice_name": NAMES[practice],
        "currency": "USD",
        "time_zone": ZONES[practice],
        "period": period,
        "version": 1,
        "cut_off": midnight.astimezone(UTC),
        "store_in_cents": sum(one.store_cents for one in ordered if one.store_cents > 0),
        "store_back_cents": -sum(one.store_cents for one in ordered if one.store_cents < 0),
        "posted_cents": sum(one.nextech_cents for one in ordered if one.nextech_cents > 0),
        "recorded_back_cents": -sum(one.nextech_cents for one in ordered if one.nextech_cents < 0),
        "classes": tuple(totals),
        "lines": ordered,
        "days": tuple(DayTotal(day, *sums) for day, sums in by_day.items()),
    }
    return Statement(**(values | more))


BANDS = ("0-7 days", "8-30 days", "31-60 days", "61-90 days", "more than 90 days")


def bands(*figures: tuple[int, int]) -> tuple[AgeBand, ...]:
    """Age bands: a count and an amount each."""
    return tuple(AgeBand(title, *figure) for title, figure in zip(BANDS, figures, strict=True))


def empty_day() -> Statement:
    """A Sunday on which nothing happened."""
    return statement("central", day_of(date(2026, 11, 8)), [])


def one_order() -> Statement:
    """One order, posted as it should be."""
    return statement("eastern", day_of(MONDAY), [line(C.MATCHED, 100_000_101, 12_210, 12_210)])


def busy_day() -> Statement:
    """A Monday with one of nearly everything."""
    lines = [
        *(line(C.MATCHED, 100_000_110 + n, 4_500 + 1_735 * n, 4_500 + 1_735 * n) for n in range(14)),
        line(C.DUPLICATE_POSTING, 100_000_131, 18_000, 36_000, at_stake_cents=18_000, payment_ids=("80131", "80132")),
        line(C.SHORT, 100_000_132, 24_999, 24_990, at_stake_cents=24_999),
        line(C.NEEDS_A_PERSON, 100_000_133, 8_950, reason="Two patients fit: same name and birthday."),
        line(C.ON_HOLD, 100_000_134, 61_000),
        line(C.NOTHING_TO_POST, 100_000_135, store_day=MONDAY),
        line(C.DATE_SHIFTED, 100_000_136, 7_700, 7_700),
        line(C.REFUND_TO_RECORD, 100_000_118, -4_500, at_stake_cents=4_500),
        entry(C.UNLINKED, "88213", 5_500, suggestion="100000133"),
        entry(C.ORPHAN, "88219", 2_500, number="100999999"),
    ]
    still_open = (
        line(C.REFUND_TO_RECORD, 100_000_031, -12_000, age_days=34, store_day=date(2026, 9, 29), owner="front.desk"),
        line(C.ON_HOLD, 100_000_077, 9_900, age_days=12, store_day=date(2026, 10, 21)),
        line(C.NEEDS_A_PERSON, 100_000_090, 33_000, age_days=3, store_day=date(2026, 10, 30), reason="No patient was found"),
    )
    return statement(
        "eastern",
        day_of(MONDAY),
        lines,
        still_open=still_open,
        refund_ageing=bands((1, 4_500), (0, 0), (1, 12_000), (0, 0), (0, 0)),
        unapplied=bands((9, 112_300), (4, 31_050), (0, 0), (1, 8_000), (0, 0)),
        gift_cards=GiftCards(412_500, 15_000, 7_250, 0, is_opening_known=True),
        prepaid_count=2,
        prepaid_cents=30_000,
        offline_refund_cents=2_000,
    )


def month(practice: str = "eastern", first: date = date(2026, 10, 1), **more: Any) -> Statement:
    """A month of the practice: orders on every weekday, a few differences, one payment dated in the next month."""
    period = month_of(first)
    lines = []
    for index, day in enumerate(period.days):
        for order in range(0 if day.weekday() == 6 else 3 + index % 4):
            amount = 3_990 + 1_117 * ((index * 7 + order * 3) % 23)
            lines.append(line(C.MATCHED, 100_000_000 + index * 10 + order, amount, amount, store_day=day, nextech_day=day))
    middle, last = period.days[14], period.last_day
    lines += [
        line(C.CUTOFF, 100_009_001, 15_500, store_day=last, payment_ids=("90001",), nextech_day=last + timedelta(days=1)),
        line(C.LOST_POSTING, 100_009_002, 23_100, store_day=middle, age_days=17),
        line(C.ON_HOLD, 100_009_003, 48_000, store_day=period.days[20], age_days=11),
        line(C.OVER, 100_009_004, 9_950, 9_960, store_day=middle, nextech_day=middle, age_days=17),
        line(C.DISABLED, 100_009_005, 6_000, store_day=period.first_day),
        line(C.REFUND_RECORDED, 100_000_011, -3_990, -3_990, store_day=middle, nextech_day=middle),
        line(C.REFUND_PARTLY_RECORDED, 100_000_021, -9_574, -5_000, store_day=middle, nextech_day=middle, age_days=17),
    ]
    values = {
        "refund_ageing": bands((0, 0), (1, 4_574), (0, 0), (0, 0), (0, 0)),
        "unapplied": bands((21, 302_300), (14, 131_050), (3, 40_000), (1, 8_000), (2, 11_000)),
        "gift_cards": GiftCards(0, 65_000, 17_250, 5_000, is_opening_known=False),
    }
    return statement(practice, period, lines, **(values | more))


def five_thousand() -> Statement:
    """A day of 5,000 orders, 40 of which need a person."""
    lines = [
        line(C.NEEDS_A_PERSON, 200_000_000 + n, 1_999 + n, age_days=n // 200, reason="No patient was found.")
        if n % 125 == 0
        else line(C.MATCHED, 200_000_000 + n, 1_999 + n, 1_999 + n)
        for n in range(5_000)
    ]
    return statement("central", day_of(date(2026, 11, 27)), lines)


def reopened() -> Statement:
    """A day that was reported, and reported again because a payment was voided later."""
    voided = line(C.VOIDED, 100_000_104, 4_400, age_days=0)
    now = statement("eastern", day_of(MONDAY), [line(C.MATCHED, 100_000_101, 12_210, 12_210), voided], version=2)
    earlier = Reopening(day_of(date(2026, 10, 30)), 3, -1_500, 0, (line(C.MATCHED, 100_000_055, 1_500, at_stake_cents=4_000),))
    return replace(now, reopened=(Reopening(day_of(MONDAY), 2, 0, 4_400, (voided,)), earlier))


def arizona_at_the_change() -> Statement:
    """A Sunday on which clocks go back in most of the country, and not in Arizona."""
    day = date(2026, 11, 1)
    lines = [line(C.MATCHED, 300_000_101, 8_800, 8_800, store_day=day, nextech_day=day)]
    return statement("arizona", day_of(day), [*lines, line(C.OVERDUE, 300_000_102, 4_100, store_day=day)])


def leap_day() -> Statement:
    """February 29."""
    day = date(2028, 2, 29)
    return statement("eastern", day_of(day), [line(C.MATCHED, 100_000_101, 5_000, 5_000, store_day=day, nextech_day=day)])


def hostile() -> Statement:
    """Every text that can come from elsewhere tries to be something else."""
    evil = "<script>alert(1)</script>{{7*7}}\r\nBcc: x@y.example\u202e\x00"
    return replace(
        statement(
            "eastern",
            day_of(MONDAY),
            [
                line(
                    C.NEEDS_A_PERSON,
                    f"=HYPERLINK(1){evil}",
                    5_000,
                    reason=evil,
                    owner=evil,
                    suggestion=evil,
                    marker=evil,
                    next_step=evil,
                ),
                entry(C.UNLINKED, evil, 700),
            ],
            notes={"evil": evil},
        ),
        practice_name=f"Harbor{evil}",
        refund_ageing=(AgeBand(evil, 1, 5),),
    )


def unreadable_store() -> Alarm:
    """The store did not answer."""
    return Alarm(
        AlarmKind.STORE_UNREADABLE,
        NAMES["arizona"],
        PHOENIX,
        day_of(MONDAY),
        at=datetime(2026, 11, 3, 9, 30, tzinfo=UTC),
        message="store: GET /V1/orders: the server is down (status 503, request id 5f0c)",
    )


def untied() -> Alarm:
    """The classes do not explain the difference."""
    return Alarm(
        AlarmKind.NOT_TIED,
        NAMES["eastern"],
        NEW_YORK,
        month_of(date(2026, 10, 1)),
        at=datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
        message="eastern, 2026-10: the classes explain 41200 of 41210 cents",
        variance_cents=41_210,
        explained_cents=41_200,
    )
