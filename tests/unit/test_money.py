from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_sync.money import AmountError, cents, decimal_text, exact_decimal, format_money, is_amount


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("122.1000", 12210),
        ("122.1", 12210),
        ("38", 3800),
        ("0", 0),
        ("0.0000", 0),
        ("-36.0200", -3602),
        ("122.09999999999999", 12210),
        ("122.10000000000001", 12210),
        ("1E+3", 100000),
        ("0E+50", 0),
        ("999999999999.99", 99999999999999),
    ],
)
def test_an_amount_becomes_whole_cents(amount, expected):
    assert cents(Decimal(amount)) == expected


@pytest.mark.parametrize(
    "amount", ["10.0050", "0.6003", "122.0990", "0.0001", "NaN", "sNaN", "Infinity", "-Infinity", "1E+5000"]
)
def test_an_amount_that_is_no_whole_number_of_cents_is_refused_without_repeating_it(amount):
    with pytest.raises(AmountError) as caught:
        cents(Decimal(amount))
    assert amount not in str(caught.value)


def test_what_cannot_be_reckoned_with_is_no_amount():
    assert [is_amount(Decimal(text)) for text in ("0", "-1.5", "NaN", "Infinity", "1E+15", "9E+14")] == [
        True,
        True,
        False,
        False,
        False,
        True,
    ]


@given(st.integers(-(10**14), 10**14))
def test_cents_survive_the_way_out_and_back(amount_cents):
    text = decimal_text(amount_cents)
    assert cents(Decimal(text)) == amount_cents
    assert json.loads(text, parse_float=Decimal) == exact_decimal(amount_cents)
    assert cents(exact_decimal(amount_cents)) == amount_cents


@given(st.integers(-(10**9), 10**9), st.floats(-0.00004, 0.00004))
def test_the_noise_of_a_float_never_costs_a_cent(amount_cents, noise):
    assert cents(Decimal(amount_cents).scaleb(-2) + Decimal(noise)) == amount_cents


@given(st.integers(-(10**12), 10**12))
def test_money_reads_as_its_cents(amount_cents):
    read = format_money(amount_cents).replace("$", "").replace(",", "")
    assert round(Decimal(read) * 100) == amount_cents


@pytest.mark.parametrize(
    ("amount_cents", "currency", "expected"),
    [(123450, "USD", "$1,234.50"), (-300, "USD", "-$3.00"), (5, "USD", "$0.05"), (123450, "EUR", "EUR 1,234.50")],
)
def test_money_is_written_for_people(amount_cents, currency, expected):
    assert format_money(amount_cents, currency) == expected
