"""The JSON API: what is answered is what the document says, for who may see it, and without any patient data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from order_sync.ledger.models import AttemptKind
from order_sync.statuses import OrderState
from order_sync.trouble import note_good_run
from sandbox.demo.characters import Person
from sandbox.demo.practices import PRACTICES
from tests.houses import ACTOR, LOOKER, browser_of
from tests.integration.web.grounds import THURSDAYS, Played, Reported, closed_to, play, two_days
from tests.worlds import SmallWorld

TOKEN = {"Authorization": "Bearer one-of-airflow"}
ORA = Person(PRACTICES["eastern"], 71, "Ora", "Castellan")


def happening(four: SmallWorld) -> Reported:
    """Two days of reports, and an order that two charts fit."""
    reported = two_days(four)
    four.add_chart(ORA, "one")
    four.add_chart(ORA, "two")
    four.place(ORA.buyer())
    four.run()
    note_good_run(four.desk())
    house = reported.house
    house.all_practices = {"eastern": house.all_practices["eastern"]}
    return reported


@pytest.fixture(scope="module")
def played(_migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(_migrated_sqlite, tmp_path_factory.mktemp("calls"), happening)


@pytest.fixture
def reported(played: Played, tmp_path: Path) -> Iterator[Reported]:
    with played.again(tmp_path / "ledger.db") as reported:
        yield reported


@pytest.fixture
def script(reported: Reported) -> TestClient:
    return browser_of(reported.house)


@pytest.fixture
def viewer(reported: Reported) -> TestClient:
    return browser_of(reported.house, LOOKER.login)


def queued_id(reported: Reported) -> int:
    [order] = [row for row in reported.world.orders() if row.state is OrderState.QUEUED and row.reason == "duplicated_customer"]
    return order.id


def case_id(reported: Reported) -> int:
    return next(case.id for case in reported.world.open_cases() if case.order_id == queued_id(reported))


def document_of(browser: TestClient) -> dict[str, Any]:
    return browser.get("/api/openapi.json").json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def assert_as_documented(document: dict[str, Any], method: str, path: str, answer: httpx.Response) -> None:
    """Hold an answer against the schema of its status."""
    described = document["paths"][path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())


def bodies(reported: Reported) -> dict[str, dict[str, Any]]:
    """Return what each call that changes something is sent, each after the one before."""
    order, case = queued_id(reported), case_id(reported)
    [row] = [row for row in reported.world.orders() if row.id == order]
    chart = ORA.chart("one").patient_id
    return {
        f"/api/queue/{case}/assign": {"assignee": "billing"},
        f"/api/queue/{case}/note": {"text": "asked the practice"},
        f"/api/queue/{case}/wait": {"until": "2026-12-01"},
        f"/api/orders/{order}/retry": {},
        f"/api/orders/{order}/patient": {"patient_id": chart, "version": row.version},
    }


def version_of(browser: TestClient, path: str) -> int:
    version: int = browser.get(path.rpartition("/")[0]).json()["version"]
    return version


def test_every_answer_of_a_walk_is_as_the_document_says(reported: Reported, script: TestClient, viewer: TestClient):
    document, walked = document_of(script), set()
    ids = {"order_id": queued_id(reported), "case_id": case_id(reported), "report_id": THURSDAYS}
    for browser in (script, viewer):
        for method, path, _ in operations(document):
            if method == "get":
                answer = browser.get(path.format(**ids))
                assert answer.status_code == 200, (path, answer.text)
                assert_as_documented(document, method, path, answer)
                walked.add((method, path))
    for order in reported.world.orders():
        answer = script.get(f"/api/orders/{order.id}")
        assert_as_documented(document, "get", "/api/orders/{order_id}", answer)
    for path, body in bodies(reported).items():
        answer = script.post(path, json={**body, "version": version_of(script, path)}, headers=TOKEN)
        assert answer.status_code == 200, (path, answer.text)
        template = re.sub(
            r"/(orders|queue)/\d+/", lambda part: f"/{part[1]}/{{{'order' if part[1] == 'orders' else 'case'}_id}}/", path
        )
        assert_as_documented(document, "post", template, answer)
        walked.add(("post", template))
    assert {(method, path) for method, path, _ in operations(document)} - walked == {("post", "/api/orders/{order_id}/dismiss")}


def test_every_call_says_what_it_does_and_how_it_fails(script: TestClient):
    document = document_of(script)
    assert document["openapi"].startswith("3.1")
    for method, path, operation in operations(document):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert {"200", "400", "401", "403", "422", "503"} <= set(operation["responses"]), (method, path)
        assert all(one.get("description") for one in operation.get("parameters", ()) if one["in"] == "query"), (method, path)
    assert len({operation["operationId"] for _, _, operation in operations(document)}) == len(list(operations(document)))


def test_the_document_names_where_the_app_is_mounted(reported: Reported):
    app = browser_of(reported.house).app
    mounted = TestClient(app, root_path="/sub/orders-app", headers={"X-Login": ACTOR.login})
    assert mounted.get("/sub/orders-app/api/openapi.json").json()["servers"] == [{"url": "/sub/orders-app"}]


def test_the_page_lists_every_call_without_anything_from_elsewhere(script: TestClient):
    shown = script.get("/api")
    assert shown.status_code == 200
    for _, path, operation in operations(document_of(script)):
        assert f"<code>{path}</code>" in shown.text
        assert operation["summary"] in shown.text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', shown.text)


def test_a_chosen_patient_is_posted_to_by_the_sync_that_is_started(reported: Reported, script: TestClient):
    order = queued_id(reported)
    chart = ORA.chart("one").patient_id
    body = {"patient_id": chart, "version": version_of(script, f"/api/orders/{order}/patient")}
    answer = script.post(f"/api/orders/{order}/patient", json=body, headers=TOKEN).json()
    assert (answer["order"]["state"], answer["order"]["matched_by"], answer["is_sync_started"]) == (
        "matched",
        "front.desk",
        True,
    )
    assert reported.house.started_by == ["front.desk"]
    second = browser_of(reported.house, "billing").post(f"/api/orders/{order}/patient", json=body, headers=TOKEN)
    assert (second.status_code, second.json()["error"]) == (409, "somebody_was_first")
    assert "front.desk" in second.json()["detail"]


def test_an_order_is_dismissed_for_a_reason_of_the_list_alone(reported: Reported, script: TestClient):
    path = f"/api/orders/{queued_id(reported)}/dismiss"
    body = {"version": version_of(script, path), "why": "because"}
    assert script.post(path, json=body, headers=TOKEN).json()["error"] == "unreadable"
    answer = script.post(path, json={**body, "why": "test order"}, headers=TOKEN)
    assert_as_documented(document_of(script), "post", "/api/orders/{order_id}/dismiss", answer)
    assert answer.json()["order"]["state"] == "closed"


def test_what_changes_nothing_is_refused_with_a_sentence(reported: Reported, script: TestClient):
    synced = next(row for row in reported.world.orders() if row.state is OrderState.CONFIRMED)
    refused = script.post(f"/api/orders/{synced.id}/retry", json={"version": synced.version}, headers=TOKEN)
    assert (refused.status_code, refused.json()["error"]) == (422, "not_possible")
    assert refused.json()["detail"].endswith("there is nothing to retry.")


def test_a_note_with_a_patients_name_is_refused(reported: Reported, script: TestClient):
    path = f"/api/queue/{case_id(reported)}/note"
    body = {"version": version_of(script, path), "text": "Castellan called"}
    refused = script.post(path, json=body, headers=TOKEN)
    assert (refused.status_code, refused.json()["error"]) == (422, "not_possible")
    assert "Castellan" not in refused.text


@pytest.mark.parametrize(
    "query", ["statsu=synced", "status=sinced", "practice=nowhere", "cursor=x", "limit=0", "limit=201", "from=x"]
)
def test_a_filter_that_means_nothing_never_means_everything(script: TestClient, query: str):
    refused = script.get(f"/api/orders?{query}")
    assert refused.status_code in {400, 422}
    assert refused.json()["error"] in {"unreadable", "not_possible"}


@pytest.mark.parametrize(
    "path", ["/api/queue?reson=x", "/api/queue?reason=x", "/api/reports?kind=year", "/api/reports?practice=x"]
)
def test_the_other_lists_are_as_strict(script: TestClient, path: str):
    assert script.get(path).status_code == 400


def test_all_orders_are_read_page_by_page(reported: Reported, script: TestClient):
    seen, cursor = [], ""
    while True:
        page = script.get("/api/orders", params={"limit": 2, "sort": "amount", **({"cursor": cursor} if cursor else {})}).json()
        seen += [order["id"] for order in page["orders"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert sorted(seen) == sorted(order.id for order in reported.world.orders())
    assert len(seen) == len(set(seen))


def test_chart_ids_are_for_those_who_may_act_and_that_they_were_read_is_written_down(
    reported: Reported, script: TestClient, viewer: TestClient
):
    synced = next(row for row in reported.world.orders() if row.state is OrderState.CONFIRMED)
    for order_id, where in (
        (synced.id, lambda order: order["patient_id"]),
        (queued_id(reported), lambda order: order["cases"][0]["candidate_ids"]),
    ):
        assert where(script.get(f"/api/orders/{order_id}").json())
        assert where(viewer.get(f"/api/orders/{order_id}").json()) is None
    assert [(row.actor, row.action, row.order_id) for row in reported.audit()] == [
        ("front.desk", "patient_viewed", synced.id),
        ("front.desk", "patient_viewed", queued_id(reported)),
    ]


def test_nothing_of_a_patient_is_in_any_answer(reported: Reported, script: TestClient):
    ids = {"order_id": queued_id(reported), "case_id": case_id(reported), "report_id": THURSDAYS}
    told = "".join(
        script.get(path.format(**ids)).text for method, path, _ in operations(document_of(script)) if method == "get"
    ).casefold()
    assert reported.voided_number in told
    for personal in ("castellan", ORA.email, ORA.phone, ORA.phone[-8:], ORA.birth_date):
        assert personal.casefold() not in told, personal


@pytest.mark.parametrize("login", ["", "stranger", "nobody"])
def test_no_call_is_open_to_who_is_not_let_in(reported: Reported, login: str):
    browser = browser_of(reported.house, login)
    document = document_of(browser_of(reported.house))
    for method, path, _ in operations(document):
        answer = browser.request(method, re.sub(r"\{\w+\}", "1", path), headers=TOKEN)
        assert answer.status_code in {401, 403}, (method, path)
        assert answer.json()["error"] in {"not_logged_in", "not_allowed"}
    assert browser.get("/api/openapi.json").status_code in {401, 403}
    assert browser.get("/api").status_code in {401, 403}


def test_no_change_is_made_for_who_may_only_look_or_sends_no_token_of_their_own(
    reported: Reported, script: TestClient, viewer: TestClient
):
    for path, body in bodies(reported).items():
        whole = {**body, "version": version_of(script, path)}
        assert viewer.post(path, json=whole, headers=TOKEN).json()["error"] == "not_allowed", path
        assert script.post(path, json=whole).json()["error"] == "not_allowed", path
    assert [row.action for row in reported.audit()] == ["patient_viewed"] * 2  # the versions of the order were read


def test_a_closed_practice_is_not_there(reported: Reported, script: TestClient):
    order, case, document = queued_id(reported), case_id(reported), document_of(script)
    changes = bodies(reported)
    closed_to(reported.house, ACTOR.login)
    ids = {"order_id": order, "case_id": case, "report_id": THURSDAYS}
    for method, path, _ in operations(document):
        if method == "get" and "{" in path:
            assert script.get(path.format(**ids)).json()["error"] == "not_found", path
    for path, body in changes.items():
        assert script.post(path, json={**body, "version": 1}, headers=TOKEN).json()["error"] == "not_found", path
    assert script.get("/api/practices").json() == {"practices": []}
    assert script.get("/api/orders").json()["orders"] == script.get("/api/queue").json()["cases"] == []
    assert script.get("/api/reports").json()["reports"] == script.get("/api/health").json()["practices"] == []


def test_a_monitor_reads_from_the_status_whether_the_sync_is_late(reported: Reported, viewer: TestClient):
    fine = viewer.get("/api/health")
    assert fine.status_code == 200
    reported.world.clock.advance(minutes=60)
    late = viewer.get("/api/health")
    assert (late.status_code, late.json()["verdict"]) == (503, "overdue")
    assert_as_documented(document_of(viewer), "get", "/api/health", late)


def test_amounts_are_whole_cents_and_instants_are_in_utc(reported: Reported, script: TestClient):
    row = reported.world.order(reported.voided_number)
    order = script.get(f"/api/orders/{row.id}").json()
    assert (order["amount_cents"], order["currency"]) == (row.amount_cents, "USD")
    assert order["placed_at"] == row.placed_at.isoformat().replace("+00:00", "Z")
    assert {attempt["kind"] for attempt in order["attempts"]} == {AttemptKind.PAYMENT.value}
