"""What becomes of a payment's POST when nothing goes wrong, and what each switch changes (contract 4.10, section 5)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from sandbox.nextech.resources import SD
from tests.integration.sandbox_nextech.desk import ANA, BEN, MARKER, Desk, Wall, payment_body


def extension(resource: dict[str, Any], name: str) -> Any:
    found = [entry for entry in resource["extension"] if entry["url"].endswith(name)]
    return next((value for key, value in found[0].items() if key != "url"), None) if found else None


def test_a_payment_is_booked_as_asked_and_read_back(desk: Desk) -> None:
    answer = desk.pay()
    assert answer.status_code == 201
    resource = desk.get(f"/PaymentReconciliation/{answer.json()['id']}").json()
    assert resource == answer.json()
    assert resource["total"] == {"value": 129.99}
    assert extension(resource, "/payment-date") == "2026-01-05T05:00:00.000Z"
    assert extension(resource, "/credit-cardtype") == "Visa"
    assert extension(resource, "/Patient")["reference"] == f"Patient/{ANA.upper()}"
    assert resource["processNote"][0]["text"].startswith(MARKER)
    row = desk.booked[-1]
    assert (row.amount_cents, row.business_day, row.marker, row.status) == (12999, date(2026, 1, 5), MARKER, "active")


def test_two_identical_posts_are_two_payments_and_show_as_doubled(desk: Desk) -> None:
    desk.pay()
    desk.pay()
    assert [row.is_doubled for row in desk.booked] == [False, True, True]
    desk.switch(identical_payments="conflict")
    assert desk.pay().status_code == 409
    assert len(desk.booked) == 3


@pytest.mark.parametrize("amount", [0, -5, 10.005, "12.00", None, True])
def test_an_amount_that_is_none_is_refused(desk: Desk, amount: object) -> None:
    assert desk.pay(amount=amount).status_code == 400
    assert len(desk.booked) == 1


@pytest.mark.parametrize(
    ("changes", "blank"),
    [
        ({"category": "web"}, "category"),
        ({"card_type": "American Express"}, "card_type"),
        ({"method": "CreditCard"}, "method"),
        ({"location": "4"}, "location_id"),
        ({"provider": "1"}, "provider_id"),
    ],
)
def test_a_value_that_the_practice_does_not_have_is_refused_or_blanked(desk: Desk, changes: dict, blank: str) -> None:
    assert desk.pay(**changes).status_code == 400
    assert len(desk.booked) == 1
    desk.switch(invalid_value="blank")
    assert desk.pay(**changes).status_code == 201
    assert getattr(desk.booked[-1], blank) is None


@pytest.mark.parametrize("missing", ["category", "method"])
def test_a_payment_without_a_required_extension_is_refused(desk: Desk, missing: str) -> None:
    assert desk.pay(**{missing: None}).status_code == 400


@pytest.mark.parametrize(
    ("day", "switches", "shown"),
    [
        ("2026-01-05", {}, date(2026, 1, 4)),
        ("2026-01-05", {"bare_date": "local"}, date(2026, 1, 5)),
        ("2026-01-05T17:00:00.000Z", {}, date(2026, 1, 5)),
        ("2026-01-06T02:00:00.000Z", {}, date(2026, 1, 5)),
        ("2026-01-06T02:00:00.000Z", {"instant": "cut"}, date(2026, 1, 6)),
        ("2026-01-05T17:00:00.000Z", {"instant": "cut"}, date(2026, 1, 5)),
    ],
)
def test_the_day_that_the_practice_sees(desk: Desk, day: str, switches: dict, shown: date) -> None:
    desk.switch(**switches)
    desk.pay(day=day)
    assert desk.booked[-1].business_day == shown


def test_a_search_for_a_day_means_the_practice_s_day_or_utc_s(desk: Desk, wall: Wall) -> None:
    wall.wait(9 * 3600)  # 3 am UTC on the 7th is 10 pm on the 6th in New York
    desk.sign_in()
    payment = desk.pay().json()["id"]
    assert desk.ids("PaymentReconciliation", f"patient={ANA}&created=2026-01-06") == {payment}
    desk.switch(search_day="utc")
    assert desk.ids("PaymentReconciliation", f"patient={ANA}&created=2026-01-07") == {payment}
    assert desk.ids("PaymentReconciliation", f"patient={ANA}&_lastUpdated=2026-01-05") == set()
    desk.switch(last_updated_day="since")
    assert desk.ids("PaymentReconciliation", f"patient={ANA}&_lastUpdated=2026-01-05") == {payment}


def test_notes_are_joined_and_cut(desk: Desk) -> None:
    desk.pay(processNote=[{"text": "DP first"}, {"text": "x" * 300}])
    assert len(desk.booked[-1].note) == 255
    assert desk.booked[-1].note.startswith("DP first xxx")


@pytest.mark.parametrize(
    ("form", "stored"),
    [("kept", "dp-a  b  " + "y" * 100), ("upper", "DP-A  B  " + "Y" * 100), ("folded", "dp-a b " + "y" * 100)],
)
def test_a_note_may_come_back_changed(desk: Desk, form: str, stored: str) -> None:
    desk.switch(note_storage=form)
    desk.pay(note="dp-a  b  " + "y" * 100)
    assert desk.booked[-1].note == stored
    desk.switch(note_storage="cut_80")
    desk.pay(note="z" * 100)
    assert len(desk.booked[-1].note) == 80


def test_the_card_type_is_read_from_one_extension_only(desk: Desk) -> None:
    desk.pay(card_name="credit-cardtype")
    assert desk.booked[-1].card_type is None
    desk.switch(card_type_on_write="either", card_type_on_read="creditcard-type")
    answer = desk.pay(card_name="credit-cardtype")
    assert desk.booked[-1].card_type == "Visa"
    assert extension(answer.json(), "/creditcard-type") == "Visa"


@pytest.mark.parametrize(("form", "sample", "read"), [("either", 201, 201), ("sample", 201, 400), ("read", 400, 201)])
def test_the_location_is_read_in_the_form_of_the_switch(desk: Desk, form: str, sample: int, read: int) -> None:
    desk.switch(location_form=form)
    assert desk.pay().status_code == sample
    url = "http://hl7.org/fhir/StructureDefinition/Location"
    assert desk.pay(location_url=url, location_value="valueResourceReference").status_code == read


def test_what_a_booked_payment_answers(desk: Desk) -> None:
    desk.switch(payment_status=200, payment_answer="without_id")
    answer = desk.pay()
    assert answer.status_code == 200
    assert set(answer.json()) == {"resourceType", "extension", "requestProvider", "total", "processNote"}
    desk.switch(payment_answer="empty")
    assert desk.pay().content == b""
    assert len(desk.booked) == 3


def test_the_rarer_switches_of_a_payment(desk: Desk) -> None:
    desk.switch(card_type_required=True)
    assert desk.pay(card_type=None).status_code == 400
    desk.switch(card_type_required=False)
    assert desk.pay(card_type=None).status_code == 201
    desk.switch(non_positive_amount="accept", excess_decimals="round")
    desk.pay(amount=-5)
    desk.pay(amount=10.005)
    assert [row.amount_cents for row in desk.booked[-2:]] == [-500, 1001]
    desk.switch(lands_as_prepayment=True, apply_by_default=True)
    desk.pay(apply=None)
    assert (desk.booked[-1].is_prepayment, desk.booked[-1].is_applied) == (True, True)
    desk.pay(apply="false")
    assert not desk.booked[-1].is_applied


@pytest.mark.parametrize(("form", "text"), [("number", "129.99"), ("noisy", "129.99000000000004"), ("text", '"129.99"')])
def test_how_an_amount_is_written(desk: Desk, form: str, text: str) -> None:
    desk.switch(amount_form=form)
    written = desk.pay().text
    assert f'"total":{{"value":{text}}}' in written


def test_an_account_shows_applied_money_only_unless_told_otherwise(desk: Desk) -> None:
    def balance() -> float:
        return desk.get("/Account", patient=ANA).json()["entry"][0]["resource"]["balance"]["value"]

    desk.pay()
    assert balance() == 0
    desk.switch(unapplied_lowers_balance=True)
    assert balance() == -129.99
    desk.switch(debt_is_positive=False)
    assert balance() == 129.99


def test_a_new_payment_stays_invisible_for_a_while(desk: Desk, wall: Wall) -> None:
    desk.switch(read_delay_seconds=20)
    payment = desk.pay().json()["id"]
    assert desk.ids("PaymentReconciliation", f"patient={ANA}") == set()
    assert desk.get(f"/PaymentReconciliation/{payment}").status_code == 404
    wall.wait(20)
    assert desk.ids("PaymentReconciliation", f"patient={ANA}") == {payment}


def test_no_payment_can_be_changed_and_no_unknown_patient_be_paid_for(desk: Desk) -> None:
    assert desk.client.delete("/nextech/api/PaymentReconciliation/1").status_code == 405
    desk.switch(correction_status=404)
    assert desk.client.put("/nextech/api/PaymentReconciliation/1", json={}).status_code == 404
    assert desk.pay("00000000-9b1d-4c22-8e57-1f0a6d2b9c44").status_code == 404
    desk.switch(unknown_patient_status=400)
    assert desk.pay("20442").status_code == 400
    assert desk.client.post("/nextech/api/PaymentReconciliation", json=payment_body()).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceType":"Patient"}', json.dumps(payment_body())[:-9].encode()])
def test_a_body_that_is_no_payment_is_refused(desk: Desk, body: bytes) -> None:
    answer = desk.client.post(f"/nextech/api/Patient/{BEN}/PaymentReconciliation", content=body)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_hostile_values_in_a_payment_are_refused_and_break_nothing(desk: Desk) -> None:
    odd = payment_body()
    odd["extension"] += [None, 5, {"url": 7}, {"url": SD + "check-number", "valueString": 9}]
    odd["processNote"] = [{"text": None}, "x", {"text": "<script>alert(1)</script>"}]
    answer = desk.client.post(f"/nextech/api/Patient/{BEN}/PaymentReconciliation", json=odd)
    assert answer.status_code == 201
    assert desk.booked[-1].note == "<script>alert(1)</script>"
