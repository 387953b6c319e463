"""The door in front of every page: who is let in, and what is refused before anything is read."""

import logging

import pytest
from fastapi import APIRouter, Request
from fastapi.testclient import TestClient
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError

from order_sync.web.app import create_app
from order_sync.web.forms import Caller, Sender, make_form_token
from order_sync.web.rendering import page
from tests.houses import ACTOR, LOOKER, STRANGER, NamedAtTheDoor, browser_of, form_token_in

SECRET = "an address that nobody may read"


class EmptyHouse:
    """A house with nothing in it but the key of its forms."""

    form_key = b"a form key for tests"
    hosts = frozenset({"airflow.example:8443"})

    def practices(self) -> tuple[()]:
        return ()


@pytest.fixture
def browser() -> TestClient:
    house = EmptyHouse()
    app = create_app(house, NamedAtTheDoor())
    router = APIRouter()

    @router.post("/changes")
    def change(sender: Sender) -> str:
        return sender.login

    @router.post("/api/changes")
    def change_by_call(caller: Caller) -> str:
        return caller.login

    @router.get("/broken")
    def break_down() -> str:
        raise RuntimeError(SECRET)

    @router.get("/crowded")
    def wait_in_vain() -> str:
        raise NoFreeConnectionError("no connection in 30 seconds")

    @router.get("/form")
    def show_form(request: Request) -> object:
        return page(request, "failure.html", {"title": "Form", "sentence": ""})

    app.include_router(router)
    return browser_of(house, app=app)


def token_of(login: str) -> str:
    app = create_app(EmptyHouse(), NamedAtTheDoor())
    visitor = {"front.desk": ACTOR, "viewer": LOOKER}[login]
    request = Request({"type": "http", "headers": [], "app": app, "state": {"visitor": visitor}})
    return make_form_token(request)


@pytest.mark.parametrize(("login", "status"), [("", 401), ("nobody", 401), (STRANGER.login, 403), (LOOKER.login, 200)])
def test_only_who_may_read_is_let_in(browser: TestClient, login: str, status: int) -> None:
    answer = browser.get("/static/pages.css", headers={"X-Login": login})
    assert answer.status_code == status


def test_a_page_that_failed_tells_neither_the_visitor_nor_the_log_what_was_in_it(
    browser: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = browser.get("/broken")
    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert SECRET not in answer.text
    assert "a page failed: RuntimeError" in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("order_sync") and SECRET in record.getMessage()]


def test_a_ledger_that_has_no_free_connection_is_not_available_just_now(browser: TestClient) -> None:
    answer = browser.get("/crowded")
    assert answer.status_code == 503
    assert "try again" in answer.text


def test_every_answer_may_be_framed_by_this_site_alone_and_kept_by_nobody(browser: TestClient) -> None:
    for path in ("/static/pages.css", "/nowhere", "/broken"):
        headers = browser.get(path).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"], path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["cache-control"] == "no-store", path


def test_a_change_is_done_for_who_has_the_form(browser: TestClient) -> None:
    done = browser.post("/changes", data={"form_token": token_of("front.desk")})
    assert (done.status_code, done.json()) == (200, "front.desk")


@pytest.mark.parametrize(
    "token", ["", "forged", "ImZyb250LmRlc2si.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"], ids=["none", "forged", "wrong signature"]
)
def test_a_change_without_our_form_is_refused(browser: TestClient, token: str) -> None:
    assert browser.post("/changes", data={"form_token": token}).status_code == 403


def test_a_form_of_another_login_is_refused(browser: TestClient) -> None:
    refused = browser.post("/changes", data={"form_token": token_of("front.desk")}, headers={"X-Login": "billing"})
    assert refused.status_code == 403
    assert "another login" in refused.text


def test_who_may_only_look_cannot_change_anything_with_a_good_form(browser: TestClient) -> None:
    refused = browser.post("/changes", data={"form_token": token_of("viewer")}, headers={"X-Login": LOOKER.login})
    assert refused.status_code == 403
    assert "may look, but not act" in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://pages.example.evil.example"},
        {"Origin": "http://pages.example:8080"},
    ],
)
def test_a_change_that_another_site_sends_is_refused_before_its_form_is_read(
    browser: TestClient, headers: dict[str, str]
) -> None:
    refused = browser.post("/changes", data={"form_token": token_of("front.desk")}, headers=headers)
    assert refused.status_code == 403
    assert "another site" in refused.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://pages.example"},
        {"Origin": "https://airflow.example:8443"},
        {},
    ],
)
def test_a_change_from_our_own_pages_is_let_through(browser: TestClient, headers: dict[str, str]) -> None:
    assert browser.post("/changes", data={"form_token": token_of("front.desk")}, headers=headers).status_code == 200


def test_a_program_with_a_token_of_its_own_needs_no_form(browser: TestClient) -> None:
    assert browser.post("/api/changes", headers={"Authorization": "Bearer one-of-airflow"}).status_code == 200
    assert browser.post("/api/changes").status_code == 403
    assert browser.post("/api/changes", headers={"X-Form-Token": token_of("front.desk")}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_address_of_thousands_of_digits_is_no_failure_of_ours(browser: TestClient, method: str) -> None:
    answer = browser.request(method, f"/orders/{'9' * 5_000}/send")
    assert (answer.status_code, "long address" in answer.text) == (414, True)
    assert "frame-ancestors" in answer.headers["content-security-policy"]


def test_failures_below_the_api_are_json(browser: TestClient) -> None:
    refused = browser.post("/api/changes")
    assert refused.headers["content-type"] == "application/json"
    assert refused.json()["error"] == "not_allowed"


def test_api_documents_are_not_shown_to_the_world(browser: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert browser.get(path).status_code == 404


def test_a_page_shows_the_menu_and_who_is_logged_in(browser: TestClient) -> None:
    shown = browser.get("/form")
    assert "front.desk" in shown.text
    assert 'href="/queue"' in shown.text
    with pytest.raises(IndexError):
        form_token_in(shown.text)
