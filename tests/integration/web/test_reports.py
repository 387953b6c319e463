"""The pages of the reports: what is listed and found, who may see it, what leaves as a file, how differences are settled."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.report_models import DifferenceState
from tests.houses import LOOKER, browser_of, form_token_in
from tests.integration.web.grounds import THURSDAYS, WEDNESDAYS, Played, Reported, closed_to, play, two_days


@pytest.fixture(scope="module")
def played(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(_migrated_sqlite, tmp_path_factory.mktemp("reports"), two_days)


@pytest.fixture
def reported(played: Played, tmp_path: Path) -> Iterator[Reported]:
    with played.again(tmp_path / "ledger.db") as reported:
        yield reported


@pytest.fixture
def desk(reported: Reported) -> TestClient:
    return browser_of(reported.house)


@pytest.fixture
def viewer(reported: Reported) -> TestClient:
    return browser_of(reported.house, LOOKER.login)


def line_path(reported: Reported, report_id: str = WEDNESDAYS) -> str:
    (difference,) = reported.differences()
    return f"/reports/{report_id}/lines/{difference.cause.rpartition(':')[0]}"


def act(browser: TestClient, reported: Reported, name: str, **fields: str) -> int:
    """Send one of the forms of the line's page; return the status of the answer."""
    shown = browser.get(line_path(reported))
    (difference,) = reported.differences()
    values = {"form_token": form_token_in(shown.text), "seen": difference.state.value, **fields}
    return browser.post(f"/reports/{WEDNESDAYS}/differences/{difference.id}/{name}", data=values).status_code


def test_the_list_shows_the_newest_version_of_each_report_and_what_is_to_do(viewer: TestClient):
    shown = viewer.get("/reports").text
    assert f'href="/reports/{WEDNESDAYS}"' in shown
    assert f'href="/reports/{THURSDAYS}"' in shown
    assert "eastern-2026-11-18-v1" not in shown
    assert shown.index(THURSDAYS) < shown.index(WEDNESDAYS)
    assert shown.count("<b>1</b>") == 2  # the voided payment, on its own day's list and on the next day's
    assert 'aria-current="page">Reports<' in shown


def test_the_list_is_narrowed_by_practice_and_kind(viewer: TestClient):
    assert WEDNESDAYS in viewer.get("/reports?practice=eastern&kind=day").text
    assert "No report fits" in viewer.get("/reports?practice=central").text
    assert "No report fits" in viewer.get("/reports?kind=month").text


@pytest.mark.parametrize("query", ["practice=nowhere", "kind=year", "kind=%00"])
def test_a_filter_that_means_nothing_is_refused_in_words(viewer: TestClient, query: str):
    answer = viewer.get(f"/reports?{query}")
    assert answer.status_code == 400
    assert "There is no such" in answer.text


@pytest.mark.parametrize("cursor", ["x", "AAAA", "%F0%9F%92%A9", "eyJ9", "W10"])
def test_a_place_in_the_list_that_means_nothing_is_refused_in_words(viewer: TestClient, cursor: str):
    answer = viewer.get(f"/reports?cursor={cursor}")
    assert answer.status_code == 422
    assert "start again at the first page" in answer.text


def test_an_order_is_found_in_every_report_that_speaks_of_it(reported: Reported, viewer: TestClient):
    found = viewer.get("/reports", params={"number": f"#{reported.voided_number}"}).text
    assert found.count(f'href="/reports/{WEDNESDAYS}/lines/') == 1
    assert "Voided in Nextech" in found
    assert "No report names" in viewer.get("/reports?number=999").text


def test_a_report_is_read_from_its_sum_down_to_the_order(reported: Reported, viewer: TestClient):
    shown = viewer.get(f"/reports/{WEDNESDAYS}").text
    assert f'href="/reports/{WEDNESDAYS}/voided"' in shown
    assert "version 2" in shown
    assert 'href="/reports/eastern-2026-11-18-v1"' in shown
    of_class = viewer.get(f"/reports/{WEDNESDAYS}/voided").text
    assert reported.voided_number in of_class
    line = viewer.get(line_path(reported)).text
    assert f'href="/orders/{reported.world.order(reported.voided_number).id}"' in line
    assert "Posted" in line
    assert "Difference open" in line


def test_an_order_that_is_open_from_before_has_its_page_in_the_later_report_too(reported: Reported, viewer: TestClient):
    assert viewer.get(line_path(reported, THURSDAYS)).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "eastern-2026-11-18-v2/orphan",
        "eastern-2026-11-18-v2/no_class",
        "eastern-2026-11-18-v2/voided?page=2",
        "eastern-2026-11-18-v2/voided?page=0",
        "eastern-2026-11-18-v2/lines/order:0",
        "eastern-2026-11-18-v2/lines/..%2F..",
        "eastern-2026-11-18-v2/files/eastern-2026-11-18-v1.csv",
        "eastern-2026-11-18-v2/files/..%2Fpasswd",
        "%00",
    ],
)
def test_what_is_not_there_is_not_found(viewer: TestClient, path: str):
    assert viewer.get(f"/reports/{path}").status_code == 404


def test_a_closed_practice_looks_as_if_it_had_no_reports(reported: Reported, viewer: TestClient):
    closed_to(reported.house, LOOKER.login)
    assert "There are no reports yet" in viewer.get("/reports").text
    assert viewer.get("/reports?practice=eastern").status_code == 400
    assert "No report names" in viewer.get("/reports", params={"number": reported.voided_number}).text
    (difference,) = reported.differences()
    for path in (
        f"/reports/{WEDNESDAYS}",
        f"/reports/{WEDNESDAYS}/voided",
        f"/reports/{WEDNESDAYS}/files/{WEDNESDAYS}.csv",
        line_path(reported),
    ):
        assert viewer.get(path).status_code == 404, path
    closed_to(reported.house, "billing")
    billing = browser_of(reported.house, "billing")
    token = form_token_in(browser_of(reported.house).get(line_path(reported)).text)
    refused = billing.post(
        f"/reports/{WEDNESDAYS}/differences/{difference.id}/take", data={"form_token": token, "seen": "open"}
    )
    assert refused.status_code in {403, 404}


def test_a_file_is_the_one_that_was_mailed_and_it_is_written_down_who_took_it(reported: Reported, viewer: TestClient):
    table = viewer.get(f"/reports/{WEDNESDAYS}/files/{WEDNESDAYS}.csv")
    assert table.headers["content-disposition"] == f'attachment; filename="{WEDNESDAYS}.csv"'
    assert reported.voided_number in {row["Order"] for row in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))}
    book = viewer.get(f"/reports/{WEDNESDAYS}/files/{WEDNESDAYS}.xlsx")
    assert zipfile.ZipFile(io.BytesIO(book.content)).testzip() is None
    taken = [(row.actor, row.action, row.practice_id, row.detail) for row in reported.audit()]
    assert taken == [("viewer", "report_downloaded", "eastern", f"{WEDNESDAYS}.{kind}") for kind in ("csv", "xlsx")]


def test_who_may_act_takes_a_difference_on_lets_it_wait_settles_it_and_opens_it_again(reported: Reported, desk: TestClient):
    states = []
    for name, fields in (
        ("take", {}),
        ("wait", {"reason": "for the gateway's answer"}),
        ("settle", {"reason": "refunded by check", "resolution": "not_an_error"}),
        ("reopen", {"reason": "the check came back"}),
    ):
        assert act(desk, reported, name, **fields) == 303
        states.append(reported.differences()[0].state)
    assert states == [
        DifferenceState.ASSIGNED,
        DifferenceState.WAITING,
        DifferenceState.RESOLVED,
        DifferenceState.REOPENED,
    ]
    line = desk.get(line_path(reported)).text
    assert "Open again; taken on by front.desk" in line
    assert "refunded by check" in line
    assert "Open again; taken on by front.desk." in desk.get(f"/reports/{WEDNESDAYS}").text
    written = [row.detail or "" for row in reported.audit()]
    assert [detail.rpartition(": ")[2] for detail in written] == ["taken on", "waits", "not_an_error", "opened again"]


def test_the_second_of_two_people_is_told_that_somebody_was_first(reported: Reported, desk: TestClient):
    assert act(desk, reported, "take") == 303
    (difference,) = reported.differences()
    billing = browser_of(reported.house, "billing")
    token = form_token_in(billing.get(line_path(reported)).text)
    second = billing.post(
        f"/reports/{WEDNESDAYS}/differences/{difference.id}/settle",
        data={"form_token": token, "seen": "open", "reason": "mine", "resolution": "written_off"},
    )
    assert second.status_code == 409
    assert "Nothing was done" in second.text
    assert reported.differences()[0].owner == "front.desk"


@pytest.mark.parametrize("reason", ["", "   ", "\u202e", "x" * 201])
def test_a_difference_is_not_settled_without_a_reason_that_can_be_read(reported: Reported, desk: TestClient, reason: str):
    assert act(desk, reported, "settle", reason=reason, resolution="written_off") == 422
    assert reported.differences()[0].state is DifferenceState.OPEN


def test_a_reason_that_names_the_customer_is_not_kept(reported: Reported, desk: TestClient):
    number = reported.voided_number
    record = reported.world.shop.orders[reported.world.order(number).entity_id]
    customer = reported.world.seen_in_store(record).customer
    for reason in (f"{customer.last} paid twice", f"write to {customer.email}", "call (305) 555-0142", "born 3/4/1980"):
        assert act(desk, reported, "wait", reason=reason) == 422, reason
    assert reported.differences()[0].state is DifferenceState.OPEN
    assert act(desk, reported, "wait", reason=f"order {number} is being looked at") == 303


def test_who_may_only_look_is_offered_nothing_and_can_do_nothing(reported: Reported, viewer: TestClient, desk: TestClient):
    assert "<form class" not in viewer.get(line_path(reported)).text
    (difference,) = reported.differences()
    token = form_token_in(desk.get(line_path(reported)).text)
    refused = viewer.post(f"/reports/{WEDNESDAYS}/differences/{difference.id}/take", data={"form_token": token, "seen": "open"})
    assert refused.status_code == 403
    assert reported.differences()[0].state is DifferenceState.OPEN
