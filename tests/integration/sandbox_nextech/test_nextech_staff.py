"""What staff do by hand, as it shows over the API and in the books (contract 4.9)."""

from __future__ import annotations

from datetime import date

import pytest

from sandbox.nextech.books import practice_book
from sandbox.nextech.staff import StaffError, act_as_staff
from tests.integration.sandbox_nextech.desk import ANA, BEN, Desk


def rows(desk: Desk) -> list[tuple[int, str]]:
    return [(row.amount_cents, row.status) for row in desk.booked if row.origin != "seed"]


def act(desk: Desk, action: str, **description: object) -> str:
    return act_as_staff(desk.nextech, action, {"practice": "eastern", **description})


def test_a_void_cancels_the_payment_and_its_negative_copy(desk: Desk) -> None:
    payment = desk.pay().json()["id"]
    act(desk, "void", payment_id=payment)
    assert rows(desk) == [(12999, "cancelled"), (-12999, "cancelled")]
    assert len(desk.ids("PaymentReconciliation", f"patient={ANA}&status=cancelled")) == 2


def test_void_and_correct_leaves_a_third_row_without_a_link(desk: Desk) -> None:
    payment = desk.pay().json()["id"]
    corrected = act(desk, "void-and-correct", payment_id=payment, amount_cents=10000, business_day="2026-01-03")
    assert rows(desk) == [(12999, "cancelled"), (-12999, "cancelled"), (10000, "active")]
    assert desk.booked[-1].business_day == date(2026, 1, 3)
    resource = desk.get(f"/PaymentReconciliation/{corrected}").json()
    assert payment not in str({key: value for key, value in resource.items() if key != "meta"})
    assert not any(row.is_doubled for row in desk.booked)


def test_a_refund_is_a_negative_payment_of_today(desk: Desk) -> None:
    act(desk, "refund", patient_id=ANA, amount_cents=2500, note="refund of DP-7K3QX0M9ZT4R-H")
    row = desk.booked[-1]
    assert (row.amount_cents, row.business_day, row.origin) == (-2500, date(2026, 1, 6), "staff")


def test_staff_enter_delete_and_rename_payments(desk: Desk) -> None:
    payment = act(desk, "hand-payment", patient_id=ANA, amount_cents=12999, business_day="2026-01-05", note="online order")
    act(desk, "edit-note", payment_id=payment, note="something else")
    assert desk.get(f"/PaymentReconciliation/{payment}").json()["processNote"][0]["text"] == "something else"
    act(desk, "delete", payment_id=payment)
    assert rows(desk) == [(12999, "entered-in-error")]


def test_a_merged_chart_is_gone_and_its_payments_live_on(desk: Desk) -> None:
    payment = desk.pay().json()["id"]
    act(desk, "merge", patient_id=ANA, into=BEN)
    assert desk.get(f"/Patient/{ANA}").status_code == 404
    assert desk.pay().status_code == 404
    assert desk.ids("Patient", "family:exact=Smith") == set()
    assert desk.ids("PaymentReconciliation", f"patient={ANA}") == set()
    assert payment in desk.ids("PaymentReconciliation", f"patient={BEN}")
    desk.switch(merged_patient="follow")
    assert desk.get(f"/Patient/{ANA}").json()["id"] == BEN
    assert desk.pay().status_code == 201
    assert desk.booked[-1].patient_id == BEN
    assert payment in desk.ids("PaymentReconciliation", f"patient={ANA}")


@pytest.mark.parametrize(
    ("action", "description"),
    [
        ("explode", {}),
        ("void", {}),
        ("void", {"payment_id": "1"}),
        ("refund", {"patient_id": "nobody", "amount_cents": 5}),
        ("merge", {"patient_id": ANA, "into": ANA}),
        ("void", {"payment_id": "1", "colour": "red"}),
        ("void", {"practice": "northern", "payment_id": "1"}),
    ],
)
def test_an_action_that_cannot_be_done_says_why(desk: Desk, action: str, description: dict) -> None:
    with pytest.raises(StaffError):
        act(desk, action, **description)


def test_the_book_adds_up_what_is_active(desk: Desk) -> None:
    payment = desk.pay().json()["id"]
    desk.pay(amount=0.01)
    act(desk, "void", payment_id=payment)
    book = practice_book(desk.nextech, "eastern")
    assert book.total_cents == 5000 + 1
    assert {patient.patient_id: patient.balance_cents for patient in book.patients if patient.payments} == {ANA: 1, BEN: 5000}
    described = book.as_dict()
    assert described["payment_count"] == 4
    assert described["doubled_count"] == 0
