"""Payments by when they were entered or changed, and how much of each is applied to bills."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import httpx
import pytest

from order_sync.clients.nextech_wire import read_payment
from order_sync.errors import IncompleteReadError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import ScriptedNextech, bundle, payment_row

SINCE = datetime(2026, 3, 2, 5, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=2)


def changed(payment_id: str, instant: str | None) -> dict:
    row = payment_row(payment_id)
    return row | {"meta": {"lastUpdated": instant}} if instant else {key: row[key] for key in row if key != "meta"}


def windows(nextech: ScriptedNextech) -> list[list[str]]:
    return [
        [value for name, value in parse_qsl(request.url.query.decode()) if name == "_lastUpdated"]
        for request in nextech.requests
    ]


def test_what_lies_outside_is_dropped_and_a_row_without_an_instant_is_kept(clock: FakeClock) -> None:
    rows = [
        changed("before", "2026-03-02T04:59:59.999+00:00"),
        changed("first", "2026-03-02T05:00:00+00:00"),
        changed("last", "2026-03-04T04:59:59Z"),
        changed("after", "2026-03-04T05:00:00Z"),
        changed("unknown", None),
    ]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=5))
    entries = nextech.client(clock).read_payments_changed(SINCE, UNTIL)
    assert {entry.payment_id for entry in entries} == {"first", "last", "unknown"}
    assert windows(nextech) == [["ge2026-03-01", "lt2026-03-08"]]


def test_a_long_span_is_asked_for_a_week_at_a_time_without_a_gap(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(total=0))
    nextech.client(clock).read_payments_changed(SINCE, SINCE + timedelta(days=20))
    asked = windows(nextech)
    assert asked[0][0] == "ge2026-03-01"
    assert [upper[2:] for _, upper in asked[:-1]] == [lower[2:] for lower, _ in asked[1:]]
    assert asked[-1][1] > "lt2026-03-22"


def test_pages_that_prove_nothing_are_an_error(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(changed("1", "2026-03-03T00:00:00Z"), total=2))
    with pytest.raises(IncompleteReadError):
        nextech.client(clock).read_payments_changed(SINCE, UNTIL)


def test_no_page_is_asked_for_when_no_time_is_left(clock: FakeClock) -> None:
    def slow(_: httpx.Request) -> httpx.Response:
        clock.advance(seconds=30)
        return bundle(total=0)

    nextech = ScriptedNextech(slow)
    with pytest.raises(IncompleteReadError):
        nextech.client(clock).read_payments_changed(SINCE, SINCE + timedelta(days=90), ends_at=clock.monotonic() + 60)
    assert len(nextech.requests) < 5


@pytest.mark.parametrize(
    ("detail", "applied_cents"),
    [
        pytest.param(None, None, id="not shown"),
        pytest.param([], 0, id="nothing applied"),
        pytest.param([{"amount": {"value": Decimal("12.5")}}, {"amount": {"value": 3}}], 1_550, id="two bills"),
        pytest.param([{"amount": {"value": "many"}}], None, id="no number"),
        pytest.param([{"type": {}}], None, id="no amount"),
    ],
)
def test_how_much_is_applied_is_the_sum_of_the_details(detail: list | None, applied_cents: int | None) -> None:
    row = payment_row("1") | ({} if detail is None else {"detail": detail})
    row["total"] = {"value": 50}
    assert read_payment(row).applied_cents == applied_cents
