"""What a search finds, and how its pages come (contract section 3)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.nextech.faults import Effect
from tests.integration.sandbox_nextech.desk import ANA, BEN, CAT, SMITHSON, Desk


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("family=smith", {ANA, SMITHSON}),
        ("family=%20Smith%20", {ANA, SMITHSON}),
        ("family:exact=SMITH", {ANA}),
        ("family:contains=mithso", {SMITHSON}),
        ("family=Ruiz,Smithson", {BEN, SMITHSON}),
        ("family=Smith&given=Dan", {SMITHSON}),
        ("email=jo@x.example", {ANA, BEN}),
        ("email:exact=jo@x.example", {ANA}),
        ("email:exact=jo@x.example,dan@x.example", {ANA, SMITHSON}),
        ("email=cat@x.example", set()),
        ("phone=(305)%20555-0142", {ANA}),
        ("phone=3055550150", {ANA}),
        ("phone=305-555-01", {ANA, BEN, SMITHSON}),
        ("phone=3055550144", set()),
        ("name=jr", {ANA}),
        ("address=miami", {ANA}),
        ("address-postalcode=33130&family=Ruiz", {BEN}),
        ("identifier=20443", {BEN}),
        ("identifier=2044", set()),
        (f"identifier={ANA.upper()},{BEN}", {ANA, BEN}),
        ("birthdate=1981-05-31", {BEN}),
        ("birthdate=ge1981-01-01&birthdate=lt1981-06-01", {BEN}),
        ("birthdate=gt1981-05-31&birthdate=le1981-06-01", {SMITHSON}),
        ("birthdate=ne1988-04-19", {BEN, SMITHSON}),
        ("family=Smith&unheard-of=1", {ANA, SMITHSON}),
    ],
)
def test_a_search_finds_what_the_contract_says(desk: Desk, query: str, found: set[str]) -> None:
    assert desk.ids("Patient", query) == found


@pytest.mark.parametrize("query", ["", "birthdate=1981-05-31,1981-06-01", "birthdate=soon", "family:sounds=Smith", "family="])
def test_a_search_that_makes_no_sense_is_refused(desk: Desk, query: str) -> None:
    assert desk.client.get(f"/nextech/api/Patient?{query}").status_code == 400


def test_private_details_are_neither_returned_nor_found_but_stored(desk: Desk) -> None:
    resource = desk.get(f"/Patient/{CAT}").json()
    assert all("value" not in entry for entry in resource["telecom"])
    assert desk.nextech.offices["eastern"].chart.patients[CAT].email == "cat@x.example"
    desk.switch(are_private_details_findable=True, private_details="omitted")
    assert desk.ids("Patient", "email:exact=cat@x.example") == {CAT}
    assert desk.get(f"/Patient/{CAT}").json()["telecom"] == []


def test_payments_are_found_by_each_documented_parameter_and_by_no_other(desk: Desk) -> None:
    payment_id = desk.pay().json()["id"]
    seeded = next(row.payment_id for row in desk.booked if row.origin == "seed")
    for query in (
        f"patient={ANA}",
        f"patient=Patient/{ANA.upper()}",
        "payment-date=2026-01-05",
        "payment-date=ge2026-01-04",
        "created=2026-01-06",
        f"identifier={payment_id}",
        "_lastUpdated=ge2026-01-06T17:59:59%2B00:00",
    ):
        assert desk.ids("PaymentReconciliation", query) == {payment_id}, query
    assert desk.ids("PaymentReconciliation", f"patient={ANA},{BEN}") == {payment_id, seeded}
    for query in ("status=active", "location.id=3", "request-provider=Practitioner/9107", "description=DP"):
        assert desk.ids("PaymentReconciliation", query) == {payment_id, seeded}, query
    assert desk.ids("PaymentReconciliation", "patient=11111111-9b1d-4c22-8e57-1f0a6d2b9c44") == set()


def test_small_lists_can_be_read_and_searched(desk: Desk) -> None:
    assert desk.ids("Location", "") == {"3"}
    assert desk.ids("Practitioner", "name=cole") == {"9107"}
    assert desk.ids("patient-type", "name:contains=etai") == {"4"}
    assert len(desk.ids("Account", f"patient={ANA}")) == 1
    assert desk.ids("Account", "balance=gt0") == set()
    assert desk.get("/Location/3").json()["id"] == "3"
    assert desk.get("/Location/77").status_code == 404
    assert desk.get("/Patient/20442").json()["id"] == ANA


def test_patient_id_answers_the_one_guid_or_refuses(desk: Desk) -> None:
    assert desk.get("/Patient/ID", **{"family:exact": "Smith"}).text == f'"{ANA}"'
    assert desk.get("/Patient/ID", family="Smith").status_code == 400
    assert desk.get("/Patient/ID", family="Nobody").status_code == 404
    assert desk.get("/Patient/ID").status_code == 400


def fill(desk: Desk, payments: int) -> None:
    desk.switch(requests_per_second=0)
    for number in range(payments):
        assert desk.pay(note=f"payment {number}").status_code == 201


def pages(desk: Desk, **params: object) -> list[dict]:
    """Follow the next links, at most ten of them."""
    seen = []
    query = {"patient": ANA, **params}
    for _ in range(10):
        page = desk.get("/PaymentReconciliation", **query).json()
        seen.append(page)
        following = [link["url"] for link in page.get("link", []) if link["relation"] == "next"]
        if not following:
            break
        query = dict(parse_qsl(urlsplit(following[0]).query))
    return seen


def page_ids(page: dict) -> list[str]:
    return [entry["resource"]["id"] for entry in page.get("entry", [])]


def test_the_last_of_several_pages_repeats_rows_and_links_lead_to_a_foreign_host(desk: Desk) -> None:
    fill(desk, 23)
    seen = pages(desk)
    assert [len(page_ids(page)) for page in seen] == [10, 10, 10]
    assert len({payment for page in seen for payment in page_ids(page)}) == 23
    assert set(page_ids(seen[1])) & set(page_ids(seen[2]))
    links = {link["relation"]: link["url"] for link in seen[0]["link"]}
    assert "previous" not in links
    assert "_getpagesoffset" not in links["self"]
    assert all(urlsplit(url).hostname == "nextech.invalid" for url in links.values())
    assert f"patient={ANA}" in links["next"]
    assert "_getpagesoffset=13" in links["last"]
    assert all("fullUrl" not in entry for entry in seen[0]["entry"])


def test_pages_are_aligned_when_the_switch_says_so(desk: Desk) -> None:
    fill(desk, 23)
    desk.switch(is_last_page_overlapping=False, link_base="http://other.invalid:5000/api")
    seen = pages(desk)
    assert [len(page_ids(page)) for page in seen] == [10, 10, 3]
    assert seen[0]["link"][0]["url"].startswith("http://other.invalid:5000/")


@pytest.mark.parametrize(("asked", "rows"), [("50", 23), ("500", 23), ("0", 10), ("-1", 10), ("x", 10), ("4", 4)])
def test_the_page_size_is_clamped(desk: Desk, asked: str, rows: int) -> None:
    fill(desk, 23)
    assert len(page_ids(desk.get("/PaymentReconciliation", patient=ANA, _count=asked).json())) == rows


def test_no_more_than_fifty_rows_come_at_once(desk: Desk) -> None:
    fill(desk, 53)
    assert len(page_ids(desk.get("/PaymentReconciliation", patient=ANA, _count=100).json())) == 50
    desk.switch(count_above_maximum="reject")
    assert desk.get("/PaymentReconciliation", patient=ANA, _count=100).status_code == 400


def test_a_small_result_may_send_the_caller_round_in_circles(desk: Desk) -> None:
    fill(desk, 3)
    assert len(pages(desk)) == 1
    desk.switch(does_small_result_loop=True)
    seen = pages(desk)
    assert len(seen) == 10
    assert {link["relation"] for link in seen[0]["link"]} == {"self", "previous", "next"}


def test_a_bundle_may_lack_its_type_total_and_links(desk: Desk) -> None:
    desk.switch(is_type_sent=False, is_total_sent=False, are_links_sent=False)
    assert set(desk.get("/Patient", family="Smith").json()) == {"resourceType", "entry"}


def test_an_empty_search_is_an_empty_bundle_or_404(desk: Desk) -> None:
    page = desk.get("/Patient", family="Nobody").json()
    assert page["total"] == 0
    assert "entry" not in page
    desk.switch(empty_search_status=404)
    assert desk.get("/Patient", family="Nobody").status_code == 404


def test_pages_shift_when_the_newest_row_comes_first(desk: Desk) -> None:
    fill(desk, 15)
    desk.switch(sort_order="descending", is_last_page_overlapping=False)
    first = page_ids(desk.get("/PaymentReconciliation", patient=ANA).json())
    desk.pay(note="in between")
    second = page_ids(desk.get("/PaymentReconciliation", patient=ANA, _getpagesoffset=10).json())
    assert first == sorted(first, key=int, reverse=True)
    assert first[-1] == second[0]


def test_shuffled_rows_come_in_another_order(desk: Desk) -> None:
    fill(desk, 9)
    desk.switch(sort_order="shuffled")
    orders = {tuple(page_ids(desk.get("/PaymentReconciliation", patient=ANA).json())) for _ in range(5)}
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1


def test_a_struck_page_lacks_rows_or_loops_or_is_foreign(desk: Desk) -> None:
    fill(desk, 23)
    desk.fail(Effect.PARTIAL_PAGE, remaining=1)
    page = desk.get("/PaymentReconciliation", patient=ANA).json()
    assert (len(page_ids(page)), page["total"]) == (5, 23)

    desk.switch(is_last_page_overlapping=False)
    desk.fail(Effect.SHIFTED_PAGE, nth=2)
    missed = pages(desk, _count=20)
    assert len({payment for page in missed for payment in page_ids(page)}) < 23
    desk.nextech.faults.clear()

    desk.fail(Effect.NEXT_LOOPS)
    assert len(pages(desk)) == 10
    desk.nextech.faults.clear()

    desk.fail(Effect.FILTERS_IGNORED)
    assert desk.get("/PaymentReconciliation", patient=CAT).json()["total"] == 24
