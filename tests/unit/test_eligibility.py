from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.eligibility import Due, Inactive, NeedsPerson, NothingToPost, Waits, adds_up, decide_due
from order_sync.orders import OrderTotals, StoreState, Tender
from order_sync.reasons import Reason
from tests.unit.situations import a_line, a_practice, an_order, totals

PRACTICE = a_practice()
BEFORE_THE_START = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)
CANCELLED, CLOSED, HELD = StoreState.CANCELED, StoreState.CLOSED, StoreState.HOLDED
UNPAID = totals(paid="0")


def decide(**changes):
    return decide_due(an_order(**changes), PRACTICE)


def test_a_paid_order_is_due_with_its_grand_total_on_its_own_day():
    assert decide() == Due(12210, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("time_zone", "placed_at", "day"),
    [
        ("America/Chicago", datetime(2026, 3, 3, 2, 0, tzinfo=UTC), date(2026, 3, 2)),  # 8 pm Central
        ("America/Chicago", datetime(2026, 3, 3, 5, 59, 59, tzinfo=UTC), date(2026, 3, 2)),
        ("America/Chicago", datetime(2026, 3, 3, 6, 0, tzinfo=UTC), date(2026, 3, 3)),
        ("America/Chicago", datetime(2026, 3, 9, 5, 0, tzinfo=UTC), date(2026, 3, 9)),  # daylight saving since the 8th
        ("America/Phoenix", datetime(2026, 7, 2, 6, 59, 59, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_the_day_is_the_practices_own(time_zone, placed_at, day):
    practice = a_practice(time_zone=time_zone)
    assert decide_due(an_order(placed_at=placed_at), practice) == Due(12210, day)


@pytest.mark.parametrize("state", [StoreState.NEW, StoreState.PENDING_PAYMENT, StoreState.PROCESSING, StoreState.COMPLETE])
def test_what_is_paid_is_due_whatever_the_shop_still_has_to_do(state):
    assert decide(state=state) == Due(12210, date(2026, 3, 2))


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        # Disabled wins over everything.
        pytest.param(Inactive(), {"placed_at": BEFORE_THE_START}, id="before the start"),
        pytest.param(Inactive(), {"placed_at": datetime(2027, 1, 1, tzinfo=UTC)}, id="from the end on"),
        pytest.param(Inactive(), {"placed_at": BEFORE_THE_START, "state": CANCELLED, "currency": None}, id="and broken"),
        pytest.param(Inactive(), {"placed_at": BEFORE_THE_START, "totals": totals("NaN")}, id="and unreadable"),
        # Nothing to post.
        pytest.param(NothingToPost(Reason.CANCELLED), {"state": CANCELLED, "totals": UNPAID}, id="cancelled"),
        pytest.param(
            NothingToPost(Reason.CANCELLED),
            {"state": CANCELLED, "totals": UNPAID, "original_number": "000004126"},
            id="cancelled edit",
        ),
        pytest.param(
            NothingToPost(Reason.CANCELLED), {"state": CANCELLED, "replaced_by_id": 4128}, id="replaced by an edit, was paid"
        ),
        pytest.param(
            NothingToPost(Reason.CANCELLED),
            {"state": CANCELLED, "totals": totals(refunded="122.1000")},
            id="cancelled and given back",
        ),
        pytest.param(
            NothingToPost(Reason.REFUNDED_BEFORE_POSTING), {"state": CLOSED, "totals": totals(refunded="122.1000")}, id="closed"
        ),
        pytest.param(
            NothingToPost(Reason.REFUNDED_BEFORE_POSTING),
            {"totals": totals(refunded="122.1000", refunded_offline="122.1000")},
            id="fully refunded, not closed yet",
        ),
        pytest.param(
            NothingToPost(Reason.REFUNDED_BEFORE_POSTING), {"state": CLOSED, "totals": UNPAID}, id="closed, never paid"
        ),
        pytest.param(
            NothingToPost(Reason.AMOUNT_ZERO),
            {"totals": totals("0", subtotal="155", gift_cards="120", store_credit="30", reward_points="5"), "tender": None},
            id="paid by balances",
        ),
        pytest.param(NothingToPost(Reason.AMOUNT_ZERO), {"totals": totals("0"), "state": StoreState.NEW}, id="free of charge"),
        # Waiting.
        pytest.param(Waits(Reason.ON_HOLD), {"state": HELD}, id="on hold"),
        pytest.param(Waits(Reason.ON_HOLD), {"state": HELD, "tender": None, "totals": totals(tax="9")}, id="on hold, broken"),
        pytest.param(Waits(Reason.UNDER_REVIEW), {"state": StoreState.PAYMENT_REVIEW}, id="under review"),
        pytest.param(Waits(Reason.NOT_PAID), {"state": StoreState.NEW, "totals": UNPAID}, id="not paid"),
        pytest.param(Waits(Reason.NOT_PAID), {"totals": UNPAID, "tender": None}, id="not paid, no payment row yet"),
        pytest.param(Waits(Reason.NOT_PAID), {"totals": totals(paid="0", tax="9")}, id="not paid, totals not final"),
        pytest.param(Waits(Reason.PARTLY_PAID), {"totals": totals(paid="122.0999")}, id="partly paid"),
        # A person.
        pytest.param(NeedsPerson(Reason.EDITED_ORDER, "replaces an older order"), {"original_number": "000004126"}, id="edit"),
        pytest.param(
            NeedsPerson(Reason.EDITED_ORDER, "replaced by a newer order, but not cancelled"),
            {"replaced_by_id": 4128},
            id="replaced, yet alive",
        ),
        pytest.param(
            NeedsPerson(Reason.TOTALS_DISAGREE, "cancelled, but paid and not refunded"),
            {"state": CANCELLED},
            id="cancelled, the money kept",
        ),
        pytest.param(
            NeedsPerson(Reason.TOTALS_DISAGREE, "closed, but not fully refunded"),
            {"state": CLOSED, "totals": totals(refunded="100")},
            id="closed, money kept",
        ),
        pytest.param(NeedsPerson(Reason.CURRENCY_UNKNOWN, "EUR"), {"currency": "EUR"}, id="foreign currency"),
        pytest.param(NeedsPerson(Reason.CURRENCY_UNKNOWN), {"currency": None}, id="no currency"),
        pytest.param(NeedsPerson(Reason.CURRENCY_UNKNOWN, "EUR"), {"currency": "EUR", "state": HELD}, id="foreign, on hold"),
        pytest.param(
            NeedsPerson(Reason.AMOUNT_INVALID, "below zero"), {"totals": totals("-5"), "state": HELD}, id="negative, on hold"
        ),
        pytest.param(NeedsPerson(Reason.CURRENCY_UNKNOWN), {"currency": "<b>Ana</b>"}, id="hostile currency"),
        pytest.param(
            NeedsPerson(Reason.CURRENCY_UNKNOWN, "EUR"), {"currency": "EUR", "totals": UNPAID}, id="foreign, not paid"
        ),
        pytest.param(NeedsPerson(Reason.AMOUNT_INVALID, "below zero"), {"totals": totals("-5")}, id="negative"),
        pytest.param(NeedsPerson(Reason.AMOUNT_INVALID, "below zero"), {"totals": totals(paid="-5")}, id="negative payment"),
        pytest.param(
            NeedsPerson(Reason.AMOUNT_INVALID, "more than two decimals"), {"totals": totals("10.0050")}, id="half a cent"
        ),
        pytest.param(NeedsPerson(Reason.AMOUNT_INVALID, "not a number"), {"totals": totals(tax="NaN")}, id="no number"),
        pytest.param(NeedsPerson(Reason.AMOUNT_INVALID, "not a number"), {"totals": totals("1E+400")}, id="absurd"),
        pytest.param(NeedsPerson(Reason.PAYMENT_MISSING), {"tender": None}, id="no payment row"),
        pytest.param(NeedsPerson(Reason.TOTALS_DISAGREE), {"totals": totals(gift_cards="20")}, id="totals apart"),
        pytest.param(NeedsPerson(Reason.TOTALS_DISAGREE), {"totals": totals("0", subtotal="155")}, id="zero, but why"),
        pytest.param(
            NeedsPerson(Reason.TOTALS_DISAGREE),
            {"totals": totals("0", subtotal="155"), "tender": None},
            id="zero, no payment row",
        ),
        pytest.param(NeedsPerson(Reason.TOTALS_DISAGREE), {"totals": totals(subtotal="122.1101")}, id="just above tolerance"),
        pytest.param(
            NeedsPerson(Reason.TOTALS_DISAGREE, "more was paid than the total"),
            {"totals": totals(paid="244.20")},
            id="paid twice",
        ),
        pytest.param(NeedsPerson(Reason.AMOUNT_LIMIT), {"totals": totals("5000.01")}, id="above the limit"),
    ],
)
def test_what_becomes_of_an_order(expected, changes):
    assert decide(**changes) == expected


@pytest.mark.parametrize(
    ("amount_cents", "changes"),
    [
        (500000, {"totals": totals("5000.00")}),
        (12210, {"totals": totals(subtotal="122.11")}),  # a cent of rounding
        (12210, {"totals": totals(subtotal="122.13"), "lines": (a_line(),) * 3}),  # a cent for each of three lines
        (12210, {"totals": totals(refunded="50")}),  # a part given back: posted gross, the refund is recorded apart
        (12210, {"totals": totals(paid="122.1100")}),
        (1, {"totals": totals("0.01")}),
        (12210, {"lines": ()}),
        (12210, {"lines": (), "totals": totals(subtotal="122.11")}),
        (12210, {"tender": Tender(method="paypal_express", card_type=None)}),
    ],
)
def test_what_is_due_is_posted_gross_and_to_the_cent(amount_cents, changes):
    assert decide(**changes) == Due(amount_cents, date(2026, 3, 2))


def test_the_contracts_own_example_adds_up():
    example = totals(
        "122.1",
        subtotal="155",
        discount="-15.5",
        shipping="7.95",
        tax="9.65",
        gift_cards="20",
        store_credit="10",
        reward_points="5",
    )
    assert decide(totals=example) == Due(12210, date(2026, 3, 2))


def test_gift_wrap_and_fees_are_parts_of_the_total():
    assert adds_up(an_order(totals=totals("10", subtotal="7", extras="3")))
    assert not adds_up(an_order(totals=totals("10", subtotal="7")))


amounts = st.one_of(
    st.decimals(-10, 6000, places=2),
    st.decimals(0, 100, places=4),
    st.sampled_from([Decimal(0), Decimal("122.10"), Decimal("NaN"), Decimal("Infinity"), Decimal("1E+30"), Decimal("-0")]),
)
any_totals = st.builds(OrderTotals, **{part.name: amounts for part in fields(OrderTotals)})
any_order = st.builds(
    an_order,
    state=st.sampled_from(StoreState),
    totals=st.one_of(any_totals, st.decimals(0, 6000, places=2).map(lambda amount: totals(str(amount)))),
    currency=st.sampled_from(["USD", "USD", "EUR", None]),
    tender=st.sampled_from([Tender("braintree", "VI"), Tender("braintree", None), None]),
    original_number=st.sampled_from([None, None, "000004126"]),
    replaced_by_id=st.sampled_from([None, None, 4128]),
    placed_at=st.datetimes(datetime(2025, 6, 1), datetime(2027, 6, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    lines=st.lists(st.just(a_line()), max_size=3).map(tuple),
)


@given(any_order)
def test_every_order_gets_an_answer_and_only_sound_money_is_due(order):
    decision = decide_due(order, PRACTICE)
    if isinstance(decision, Due):
        assert 0 < decision.amount_cents <= 500_000
        assert Decimal(decision.amount_cents) == order.totals.grand_total * 100
        assert order.totals.paid >= order.totals.grand_total
        assert order.state not in {CANCELLED, CLOSED, HELD, StoreState.PAYMENT_REVIEW}
        assert (order.currency, order.original_number, order.replaced_by_id) == ("USD", None, None)
        assert order.tender is not None
        assert PRACTICE.is_active_at(order.placed_at)
        assert adds_up(order)
    else:
        assert isinstance(decision, (Waits, NothingToPost, NeedsPerson, Inactive))


@given(any_order)
def test_money_that_was_kept_is_never_dismissed_as_nothing_to_post(order):
    if isinstance(decide_due(order, PRACTICE), NothingToPost) and order.replaced_by_id is None:
        assert order.totals.paid <= order.totals.refunded or order.totals.grand_total == 0


@given(any_order)
def test_a_release_passes_over_its_own_reason_alone(order):
    released = {Reason.EDITED_ORDER, Reason.AMOUNT_LIMIT}
    before, now = decide_due(order, PRACTICE), decide_due(order, PRACTICE, released=released)
    if not (isinstance(before, NeedsPerson) and before.reason in released):
        assert now == before
    assert not (isinstance(now, NeedsPerson) and now.reason in released)
    if isinstance(now, Due):
        assert order.totals.paid >= order.totals.grand_total
        assert order.state not in {CANCELLED, CLOSED, HELD, StoreState.PAYMENT_REVIEW}
        assert (order.currency, order.tender is None) == ("USD", False)
        assert adds_up(order)
