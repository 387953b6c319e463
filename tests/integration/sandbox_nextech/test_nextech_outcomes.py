"""The outcomes of a POST, each with what was really booked (reliability 4.3), and the faults of a GET (2.2)."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from sandbox.nextech.faults import Effect
from tests.integration.sandbox_nextech.desk import ANA, MARKER, PAY_ROUTE, Desk, Wall


def booked(desk: Desk) -> int:
    return sum(row.marker == MARKER for row in desk.booked)


@pytest.mark.parametrize(
    ("effect", "options", "status", "rows"),
    [
        (Effect.CREATED, {}, 201, 1),
        (Effect.CREATED_WITHOUT_ID, {}, 201, 1),
        (Effect.CREATED_MALFORMED, {}, 201, 1),
        (Effect.CREATED_HTML, {}, 201, 1),
        (Effect.CREATED_TRUNCATED, {}, None, 1),
        (Effect.REDIRECTED, {}, 302, 0),
        (Effect.REJECTED, {}, 400, 0),
        (Effect.REJECTED, {"status": 422}, 422, 0),
        (Effect.UNAUTHORIZED, {}, 401, 0),
        (Effect.UNAUTHORIZED, {"status": 523}, 523, 0),
        (Effect.NOT_FOUND, {}, 404, 0),
        (Effect.CONFLICT, {}, 409, 0),
        (Effect.GATEWAY_ERROR, {}, 408, 0),
        (Effect.RATE_LIMITED, {"retry_after": "7"}, 429, 0),
        (Effect.FAILED, {}, 500, 0),
        (Effect.FAILED_EXECUTED, {"status": 502}, 502, 1),
        (Effect.TIMED_OUT, {}, None, 0),
        (Effect.TIMED_OUT_EXECUTED, {}, None, 1),
        (Effect.EXECUTED_LATE, {"after_seconds": 3600}, None, 0),
        (Effect.EXECUTED_TWICE, {}, 201, 2),
        (Effect.UNAVAILABLE, {}, 503, 0),
        (Effect.DRIPPED, {}, None, 1),
    ],
)
def test_each_outcome_answers_one_thing_and_books_another(
    desk: Desk, effect: Effect, options: dict, status: int | None, rows: int
) -> None:
    desk.fail(effect, method="POST", route=PAY_ROUTE, remaining=1, **options)
    if status is None:
        with pytest.raises(httpx.TransportError):
            desk.pay()
    else:
        assert desk.pay().status_code == status
    assert booked(desk) == rows
    assert desk.pay(note="the next one").status_code == 201


def test_the_answers_of_struck_requests_look_as_they_should(desk: Desk) -> None:
    for effect in (Effect.CREATED_MALFORMED, Effect.CREATED_HTML, Effect.REDIRECTED, Effect.GATEWAY_ERROR, Effect.RATE_LIMITED):
        desk.fail(effect, retry_after="7", remaining=1)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        desk.pay().json()
    page = desk.pay()
    assert page.headers["content-type"].startswith("text/html")
    redirect = desk.pay()
    assert redirect.headers["location"] == "https://elsewhere.invalid/sign-in"
    assert "<html>" in desk.pay().text
    limited = desk.pay()
    assert (limited.headers["retry-after"], limited.json()["statusCode"]) == ("7", 429)


def test_a_late_payment_is_booked_hours_after_its_answer_was_lost_and_only_once(desk: Desk, wall: Wall) -> None:
    sent_at = wall.instant
    desk.fail(Effect.EXECUTED_LATE, after_seconds=3600, remaining=1)
    with pytest.raises(httpx.ReadTimeout):
        desk.pay()
    wall.wait(3500 - 45)
    desk.sign_in()
    assert desk.ids("PaymentReconciliation", f"patient={ANA}") == set()
    assert desk.nextech.late_count() == 1
    wall.wait(1000)
    desk.sign_in()
    assert len(desk.ids("PaymentReconciliation", f"patient={ANA}")) == 1
    assert desk.booked[-1].created_at == sent_at + timedelta(seconds=3600)
    assert booked(desk) == 1
    assert desk.nextech.late_count() == 0


def test_a_late_request_that_is_invalid_books_nothing(desk: Desk, wall: Wall) -> None:
    desk.fail(Effect.EXECUTED_LATE, after_seconds=60)
    with pytest.raises(httpx.ReadTimeout):
        desk.pay(category="nonsense")
    wall.wait(120)
    assert booked(desk) == 0


def test_a_patient_whose_answer_was_lost_is_there_all_the_same(desk: Desk) -> None:
    desk.fail(Effect.TIMED_OUT_EXECUTED, route="/Patient", method="POST", remaining=1)
    with pytest.raises(httpx.ReadTimeout):
        desk.create()
    assert len(desk.ids("Patient", "family=Novak")) == 1


def test_a_payment_may_be_booked_with_another_amount_or_day(desk: Desk) -> None:
    desk.fail(Effect.OTHER_AMOUNT, remaining=1)
    desk.fail(Effect.OTHER_DAY, remaining=1)
    desk.pay()
    desk.pay()
    assert [(row.amount_cents, row.business_day) for row in desk.booked[-2:]] == [
        (13009, date(2026, 1, 5)),
        (12999, date(2026, 1, 4)),
    ]


@pytest.mark.parametrize(
    ("effect", "status"),
    [(Effect.FAILED, 500), (Effect.UNAVAILABLE, 503), (Effect.TRUNCATED, None), (Effect.DRIPPED, None), (Effect.HUNG, None)],
)
def test_a_read_that_fails(desk: Desk, effect: Effect, status: int | None) -> None:
    desk.fail(effect, method="GET", remaining=1)
    if status is None:
        with pytest.raises(httpx.TransportError):
            desk.get("/Patient", family="Smith")
    else:
        assert desk.get("/Patient", family="Smith").status_code == status
    assert desk.get("/Patient", family="Smith").status_code == 200


def test_a_read_whose_json_stops_in_the_middle(desk: Desk) -> None:
    desk.fail(Effect.MALFORMED, remaining=1)
    answer = desk.get("/Patient", family="Smith")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


def test_a_slow_answer_and_the_latency_of_all(desk: Desk, wall: Wall) -> None:
    began = wall.instant
    desk.fail(Effect.SLOW, after_seconds=3, remaining=1)
    desk.switch(latency_seconds=0.5)
    desk.get("/Patient", family="Smith")
    desk.get("/Patient", family="Smith")
    assert (wall.instant - began).total_seconds() == pytest.approx(4)


def test_a_fault_strikes_the_request_that_it_names_and_no_other(desk: Desk, arizona: Desk) -> None:
    fault = desk.fail(Effect.FAILED, method="GET", route="/Patient", practice="eastern", nth=2)
    seen = [desk.get("/Patient", family="Smith").status_code for _ in range(3)]
    assert seen == [200, 500, 200]
    assert arizona.get("/Patient", family="Dry").status_code == 200
    assert desk.pay().status_code == 201
    assert (fault.seen, fault.struck) == (3, 1)


def test_a_fault_with_a_probability_is_drawn_from_the_seed(desk: Desk) -> None:
    desk.switch(requests_per_second=0)
    fault = desk.fail(Effect.FAILED, probability=0.3)
    seen = [desk.get("/Location").status_code for _ in range(200)]
    assert 30 < seen.count(500) < 90
    assert fault.struck == seen.count(500)
