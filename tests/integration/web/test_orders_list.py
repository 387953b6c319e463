"""The list of orders: what is shown to whom, page by page, and what leaves as a file."""

import csv
import io
import re
from datetime import date
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from order_sync.ledger.audit import list_audit
from order_sync.ledger.models import OrderRow
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.houses import ACTOR, LOOKER, SmallHouse, browser_of
from tests.integration.ledger.rows import new_order

HOSTILE = "<script>alert(1)</script>"
PRACTICES = ("eastern", "central", "arizona")


@pytest.fixture
def browser(house: SmallHouse) -> TestClient:
    return browser_of(house)


@pytest.fixture
def five(ledger: Ledger) -> list[OrderRow]:
    """Orders of two practices, in every status."""
    with ledger.transaction() as tx:
        return [
            new_order(tx, OrderState.CONFIRMED, number="000000101", business_day=date(2026, 11, 18), matched_by="created"),
            new_order(tx, OrderState.QUEUED, Reason.DUPLICATED_CUSTOMER, number="000000102", amount_cents=4_500),
            new_order(tx, OrderState.WAITING, Reason.ON_HOLD, number="000000103", store_state="holded"),
            new_order(tx, OrderState.DISABLED, Reason.INTEGRATION_INACTIVE, number="000000104"),
            new_order(tx, OrderState.QUEUED, Reason.ON_HOLD, number="000000201", practice_id="central", amount_cents=99_999),
        ]


def numbers_in(text: str) -> list[str]:
    return re.findall(r'<th scope="row" class="nowrap"><a href="/orders/\d+">([^<]*)</a>', text)


def test_the_newest_orders_of_all_practices_come_first_with_what_to_do(browser: TestClient, five: list[OrderRow]) -> None:
    shown = browser.get("/").text
    assert numbers_in(shown) == ["000000201", "000000104", "000000103", "000000102", "000000101"]
    assert "Duplicated customer" in shown
    assert "Pick the right patient" in shown
    assert "On hold" in shown
    assert f'href="/orders/{five[1].id}/resolve"' in shown
    assert 'aria-sort="descending"' in shown


def test_a_looker_sees_the_list_without_a_way_to_resolve(house: SmallHouse, five: list[OrderRow]) -> None:
    shown = browser_of(house, LOOKER.login).get("/")
    assert shown.status_code == 200
    assert len(numbers_in(shown.text)) == len(five)
    assert "/resolve" not in shown.text


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("status=not-synced", ["000000201", "000000102"]),
        ("reason=on_hold", ["000000201", "000000103"]),
        ("practice=central", ["000000201"]),
        ("period=today", ["000000101"]),
        ("most=45", ["000000102"]),
        ("least=999", ["000000201"]),
        ("new=1", ["000000101"]),
        ("number=103", ["000000103"]),
        ("number=%23000000104", ["000000104"]),
        ("number=0000001", ["000000104", "000000103", "000000102", "000000101"]),
        ("sort=number", ["000000101", "000000102", "000000103", "000000104", "000000201"]),
        ("sort=-amount&practice=eastern&least=50", ["000000104", "000000103", "000000101"]),
        ("status=not-synced&practice=eastern", ["000000102"]),
        ("from=9999-12-31&least=999999999999.99", []),
        ("from=0001-01-01&to=9999-12-31&most=999999999999&number=0000002", ["000000201"]),
    ],
)
@pytest.mark.usefixtures("five")
def test_a_filter_shows_its_orders_and_no_other(browser: TestClient, query: str, numbers: list[str]) -> None:
    assert numbers_in(browser.get(f"/?{query}").text) == numbers


@pytest.mark.usefixtures("five")
def test_each_status_is_counted_under_the_other_filters(browser: TestClient) -> None:
    def counts(query: str) -> dict[str, str]:
        return dict(re.findall(r'<span class="status [a-z-]+">([^<]+)</span> <b>([^<]+)</b>', browser.get(f"/{query}").text))

    assert counts("") == {"Not Synced": "2", "Waiting for Sync": "1", "Synced": "1", "Disabled": "1"}
    assert counts("?status=synced&practice=central") == {
        "Not Synced": "1",
        "Waiting for Sync": "0",
        "Synced": "0",
        "Disabled": "0",
    }


@pytest.mark.usefixtures("five")
def test_what_fits_no_order_says_so_and_how_to_go_on(browser: TestClient) -> None:
    shown = browser.get("/?number=777&sort=amount").text
    assert "No order fits" in shown
    assert 'href="/?sort=amount">Clear the filters</a>' in shown


def test_an_empty_ledger_says_when_orders_come(browser: TestClient) -> None:
    assert "There are no orders yet" in browser.get("/").text


def test_a_form_with_empty_fields_becomes_a_short_address(browser: TestClient) -> None:
    sent = browser.get("/?number=&reason=&practice=&period=&from=&to=&least=12&most=&status=not-synced")
    assert (sent.status_code, sent.headers["location"]) == (303, "/?status=not-synced&least=12.00")
    assert browser.get(sent.headers["location"]).status_code == 200


def test_a_typing_error_in_a_form_is_said_and_not_lost(browser: TestClient) -> None:
    sent = browser.get("/?number=&least=abc")
    assert sent.status_code == 200
    assert "The smallest amount cannot be read. What cannot be read was left out." in sent.text


def test_every_order_is_on_one_page_when_all_are_turned(browser: TestClient, ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for number in range(120):
            new_order(tx, OrderState.CONFIRMED, number=f"{number:09}")
    seen, path = [], "/?sort=number"
    pages = []
    while path:
        text = browser.get(path).text
        pages.append(numbers_in(text))
        seen += pages[-1]
        following = re.search(r'rel="next" href="([^"]+)"', text)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [f"{number:09}" for number in range(120)]
    assert len(pages) == 3
    before = re.search(r'rel="prev" href="([^"]+)"', text)
    assert before
    assert numbers_in(browser.get(before[1].replace("&amp;", "&")).text) == pages[1]


def test_a_place_that_is_none_shows_the_first_page_and_says_so(browser: TestClient, five: list[OrderRow]) -> None:
    shown = browser.get("/?cursor=bm9uc2Vuc2U")
    assert shown.status_code == 200
    assert "this is the first page" in shown.text
    assert len(numbers_in(shown.text)) == len(five)


@pytest.mark.usefixtures("five")
def test_chosen_columns_stand_in_the_address_and_are_remembered(browser: TestClient) -> None:
    def titles(text: str) -> list[str]:
        head = text.partition("<thead>")[2].partition("</thead>")[0]
        return [re.sub(r"<[^>]+>|[↑↓]", "", cell).strip() for cell in re.findall(r"<th[^>]*>(.*?)</th>", head)]

    sent = browser.get("/?columns=number&columns=refunded&columns=changed")
    assert sent.headers["location"] == "/?columns=number.refunded.changed"
    assert titles(browser.get(sent.headers["location"]).text) == ["Order", "Refunded", "Last change"]
    assert titles(browser.get("/?status=synced").text) == ["Order", "Refunded", "Last change"]
    browser.cookies.clear()
    assert titles(browser.get("/").text)[:3] == ["Order", "Practice", "Placed"]


@pytest.mark.parametrize("cookie", ["nonsense", "", "number", "<script>", "." * 3000])
def test_a_cookie_that_names_no_column_is_passed_over(browser: TestClient, five: list[OrderRow], cookie: str) -> None:
    browser.headers["Cookie"] = f"orders_columns={cookie}"
    assert len(numbers_in(browser.get("/").text)) == len(five)


# -- who may see what


def test_a_closed_practice_is_neither_shown_nor_counted_nor_named(house: SmallHouse, five: list[OrderRow]) -> None:
    closed = house.all_practices["central"].model_copy(update={"staff": ("somebody.else",)})
    house.all_practices["central"] = closed
    browser = browser_of(house)
    for path in ("/", "/?number=000000201", "/?practice=central", "/?status=not-synced"):
        shown = browser.get(path)
        assert shown.status_code == 200
        assert "000000201" not in numbers_in(shown.text), path
        assert closed.name not in shown.text, path
    assert "000000201" not in browser.get("/orders.csv").text
    assert len(five) - 1 == len(numbers_in(browser.get("/").text))


def test_a_login_without_any_practice_is_told_so(house: SmallHouse) -> None:
    for name, practice in house.all_practices.items():
        house.all_practices[name] = practice.model_copy(update={"staff": ("somebody.else",)})
    browser = browser_of(house)
    assert "No practice is open to your login" in browser.get("/").text
    assert browser.get("/orders.csv").text.strip("\ufeff\r\n").count("\n") == 0


def test_hostile_texts_stay_texts(browser: TestClient, ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        row = new_order(tx, OrderState.QUEUED, Reason.EDITED_ORDER, number=f'"{HOSTILE}', store_state=HOSTILE)
        row.detail = f"=1+1{HOSTILE}"
    shown = browser.get("/").text
    assert HOSTILE not in shown
    assert "&lt;script&gt;" in shown
    echoed = browser.get("/", params={"number": HOSTILE, "status": HOSTILE, "sort": HOSTILE, "x": HOSTILE}).text
    assert HOSTILE not in echoed


# -- the file


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.usefixtures("five")
def test_the_file_holds_what_the_list_shows_and_the_look_is_written_down(browser: TestClient, ledger: Ledger) -> None:
    link = re.search(r'href="(/orders\.csv[^"]*)"', browser.get("/?status=not-synced&sort=amount").text)
    assert link
    sent = browser.get(link[1].replace("&amp;", "&"))
    assert sent.headers["content-disposition"] == 'attachment; filename="orders-2026-11-18-1700.csv"'
    assert sent.headers["content-type"] == "text/csv; charset=utf-8"
    assert [(row["Order"], row["Amount"], row["Currency"], row["Nextech Status"]) for row in rows_of(sent.text)] == [
        ("000000102", "45.00", "USD", "Not Synced"),
        ("000000201", "999.99", "USD", "Not Synced"),
    ]
    assert rows_of(sent.text)[0]["Placed"].endswith("-05:00")
    with ledger.transaction() as tx:
        trail = list_audit(tx, PRACTICES)
    assert {(row.practice_id, row.actor, row.action) for row in trail} == {
        (practice_id, ACTOR.login, "exported") for practice_id in PRACTICES
    }


def test_the_file_is_complete_however_many_orders_there_are(browser: TestClient, ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for number in range(1_203):
            new_order(tx, OrderState.CONFIRMED, number=f"{number:09}")
    rows = rows_of(browser.get("/orders.csv?sort=number").text)
    assert [row["Order"] for row in rows] == [f"{number:09}" for number in range(1_203)]


def test_no_text_of_the_file_is_a_formula(browser: TestClient, ledger: Ledger) -> None:
    with ledger.transaction() as tx:
        for number in ('=HYPERLINK("https://phish.example")', "+1", "-1", "@x", "\t=1", "\uff1d1", '"=1'):
            new_order(tx, OrderState.QUEUED, Reason.EDITED_ORDER, number=number, store_state="=cmd")
    for row in rows_of(browser.get("/orders.csv").text):
        assert row["Order"].startswith("'"), row["Order"]
        assert row["Store"].startswith("'"), row["Store"]


def test_what_was_searched_for_by_number_is_not_kept(browser: TestClient, ledger: Ledger) -> None:
    browser.get("/orders.csv?number=somebody+typed+a+name")
    with ledger.transaction() as tx:
        assert all("typed" not in (row.detail or "") for row in list_audit(tx, PRACTICES))


def test_links_keep_to_where_the_pages_are_mounted(house: SmallHouse, five: list[OrderRow]) -> None:
    browser = browser_of(house)
    mounted = TestClient(browser.app, root_path="/sub/orders-app", headers=dict(browser.headers), follow_redirects=False)
    text = mounted.get("/").text
    links = [urlsplit(link).path for link in re.findall(r'(?:href|action|src)="([^"#]+)"', text)]
    assert f"/sub/orders-app/orders/{five[0].id}" in links
    assert all(link.startswith("/sub/orders-app/") for link in links)
