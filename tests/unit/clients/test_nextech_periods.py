"""All payments of some days, whoever's: every week is proved complete, or nothing is returned."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx
import pytest

from order_sync.errors import IncompleteReadError
from tests.clocks import FakeClock
from tests.unit.clients.scripted import (
    GUID,
    OPERATION_OUTCOME,
    OTHER_GUID,
    ScriptedNextech,
    asked,
    bundle,
    json_answer,
    payment_row,
)

MIAMI = ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 4)
SD = "https://select.nextech-api.com/api/structuredefinition/"


def dated(payment_id: str, instant: str | None, patient: str | None = GUID) -> dict:
    row = payment_row(payment_id, patient=patient or GUID)
    if patient is None:
        row["extension"] = []
    if instant is not None:
        row["extension"].append({"url": f"{SD}payment-date", "valueDateTime": instant})
    return row


def window(request: httpx.Request) -> list[str]:
    return [value for name, value in parse_qsl(request.url.query.decode()) if name == "payment-date"]


def test_payments_of_every_patient_and_of_none_are_returned(clock: FakeClock) -> None:
    days = ["2026-03-02T17:00:00.000Z", "2026-03-03T05:00:00.000Z", "2026-03-04T17:00:00.000Z"]
    rows = [dated(str(n), day, patient) for n, (day, patient) in enumerate(zip(days, (GUID, OTHER_GUID, None), strict=True))]
    nextech = ScriptedNextech(lambda _: bundle(*rows, total=3))
    read = nextech.client(clock).read_payments_between(FIRST, LAST, zone=MIAMI)
    assert [entry.patient_id for entry in read.entries] == [GUID, OTHER_GUID, None]
    assert (read.first_day, read.last_day, read.as_of) == (FIRST, LAST, clock.now())
    assert [window(request) for request in nextech.requests] == [["ge2026-03-01", "lt2026-03-06"]]


def test_what_lies_outside_the_days_of_the_practice_is_dropped_also_when_the_filter_is_ignored(clock: FakeClock) -> None:
    rows = [
        dated("the evening before", "2026-03-02T04:59:00.000Z"),
        dated("the first midnight", "2026-03-02T05:00:00.000Z"),
        dated("the last evening", "2026-03-05T04:59:00.000Z"),
        dated("the day after", "2026-03-05T05:00:00.000Z"),
        dated("another year", "2019-03-05T05:00:00.000Z"),
        dated("without a date", None),
    ]
    read = ScriptedNextech(lambda _: bundle(*rows, total=6)).client(clock).read_payments_between(FIRST, LAST, zone=MIAMI)
    assert [entry.payment_id for entry in read.entries] == ["the first midnight", "the last evening", "without a date"]


def test_a_long_period_is_read_a_week_at_a_time_without_a_gap(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(total=0))
    nextech.client(clock).read_payments_between(date(2026, 2, 20), date(2026, 3, 9), zone=MIAMI)
    assert [window(request) for request in nextech.requests] == [
        ["ge2026-02-19", "lt2026-02-28"],
        ["ge2026-02-26", "lt2026-03-07"],
        ["ge2026-03-05", "lt2026-03-11"],
    ]


def test_a_payment_on_the_border_of_two_weeks_is_returned_once(clock: FakeClock) -> None:
    nextech = ScriptedNextech(lambda _: bundle(dated("1", "2026-03-02T17:00:00.000Z"), total=1))
    read = nextech.client(clock).read_payments_between(FIRST, date(2026, 3, 12), zone=MIAMI)
    assert len(nextech.requests) == 2
    assert [entry.payment_id for entry in read.entries] == ["1"]


def paged(total: int, *, shown: int | None = None, shifts_by: int = 0):
    """Serve fifty rows a page; `shown` leaves rows out, `shifts_by` lets rows be entered between the pages."""
    rows = [dated(str(number), "2026-03-03T17:00:00.000Z") for number in range(total + 100)]
    pages_served = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal pages_served
        offset, now = int(asked(request).get("_getpagesoffset", 0)), total + shifts_by * pages_served
        pages_served += 1
        return bundle(*rows[offset : min(offset + 50, now if shown is None else shown)], total=now)

    return handler


def test_every_page_is_read(clock: FakeClock) -> None:
    nextech = ScriptedNextech(paged(120))
    assert len(nextech.client(clock).read_payments_between(FIRST, LAST, zone=MIAMI).entries) == 120
    assert {tuple(window(request)) for request in nextech.requests} == {("ge2026-03-01", "lt2026-03-06")}


@pytest.mark.parametrize("handler", [paged(120, shown=70), paged(120, shifts_by=1)], ids=["rows left out", "shifting"])
def test_pages_that_prove_nothing_are_no_evidence(handler, clock: FakeClock) -> None:
    with pytest.raises(IncompleteReadError):
        ScriptedNextech(handler).client(clock).read_payments_between(FIRST, LAST, zone=MIAMI)


def test_nothing_found_is_proved_by_the_api_alone(clock: FakeClock) -> None:
    none = ScriptedNextech(lambda _: json_answer(404, OPERATION_OUTCOME)).client(clock)
    assert none.read_payments_between(FIRST, LAST, zone=MIAMI).entries == ()
    gateway = ScriptedNextech(lambda _: httpx.Response(404, text="<html>")).client(clock)
    with pytest.raises(IncompleteReadError):
        gateway.read_payments_between(FIRST, LAST, zone=MIAMI)


def test_past_the_deadline_no_page_is_asked_for(clock: FakeClock) -> None:
    serve = paged(120)

    def slowly(request: httpx.Request) -> httpx.Response:
        clock.advance(seconds=10)
        return serve(request)

    nextech = ScriptedNextech(slowly)
    with pytest.raises(IncompleteReadError, match="no time is left"):
        nextech.client(clock).read_payments_between(FIRST, LAST, zone=MIAMI, ends_at=clock.monotonic() + 15)
    assert len(nextech.requests) == 2


def test_a_period_that_ends_before_it_begins_is_a_mistake(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        ScriptedNextech(lambda _: bundle(total=0)).client(clock).read_payments_between(LAST, FIRST, zone=MIAMI)
