"""The list of orders: what the address asks for, what is shown, and what leaves as a file."""

import csv
import io
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import QueryParams

from order_sync.ledger.audit import list_audit
from order_sync.ledger.models import OrderRow
from order_sync.ledger.order_filters import Sort, SortBy
from order_sync.ledger.session import Ledger
from order_sync.reasons import Reason
from order_sync.statuses import OrderState, PublicStatus
from order_sync.web.filters import NamedPeriod, Wanted, read_wanted
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


def wanted_by(query: str) -> Wanted:
    return read_wanted(QueryParams(query), PRACTICES)


# -- what an address asks for


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(number="E-12 x", status=PublicStatus.NOT_SYNCED, reason=Reason.NAME_DIFFERS, practice_id="central"),
        Wanted(period=NamedPeriod.LAST_7_DAYS, is_new_account=True, sort=Sort(SortBy.AMOUNT, is_descending=False)),
        Wanted(first_day=date(2026, 11, 1), last_day=date(2026, 11, 30), least_cents=0, most_cents=123_450),
    ],
    ids=["nothing", "words", "choices", "spans"],
)
def test_an_address_asks_for_what_it_was_written_for(wanted: Wanted) -> None:
    read = wanted_by(wanted.query().removeprefix("?"))
    assert read == wanted
    assert read.problems == ()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("status=synced-ish", "The status cannot be read."),
        ("reason=because", "The reason cannot be read."),
        ("reason=refund_to_record", "The reason cannot be read."),
        ("practice=western", "The practice cannot be read."),
        ("period=tomorrow", "The period cannot be read."),
        ("from=2026-13-01", "The first day cannot be read."),
        ("to=yesterday", "The last day cannot be read."),
        ("least=twelve", "The smallest amount cannot be read."),
        ("least=1e9", "The smallest amount cannot be read."),
        ("most=-3", "The largest amount cannot be read."),
        ("most=1.234", "The largest amount cannot be read."),
        ("most=1,23", "The largest amount cannot be read."),
        ("new=perhaps", "New accounts cannot be read."),
        ("sort=name", "The order of the list cannot be read."),
        ("number=%00", "The order number cannot be read."),
        (f"number={'9' * 65}", "The order number cannot be read."),
        ("columns=number.password", "A column is not known."),
        ("status=synced&status=disabled", "The status is there more than once."),
        ("least=9&most=3", "The smallest amount is larger than the largest one."),
        ("from=2026-11-02&to=2026-11-01", "The first day is later than the last one."),
        (f"cursor={'A' * 601}", "The place in the list cannot be read."),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(browser: TestClient, query: str, sentence: str) -> None:
    assert sentence in wanted_by(query).problems
    shown = browser.get(f"/?{query}")
    assert shown.status_code == 200
    assert sentence in shown.text
    file = browser.get(f"/orders.csv?{query}")
    assert file.status_code == 400, "a file without a filter that was asked for would be wrong, and nobody would see it"
    assert sentence in file.text


@pytest.mark.parametrize(("typed", "amount_cents"), [("12", 1200), ("12.5", 1250), ("$1,234.50", 123_450), (" 0.01 ", 1)])
def test_amounts_are_read_as_people_type_them(typed: str, amount_cents: int) -> None:
    read = read_wanted(QueryParams({"least": typed}), PRACTICES)
    assert (read.least_cents, read.problems) == (amount_cents, ())


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (NamedPeriod.TODAY, (date(2026, 11, 18), date(2026, 11, 18))),
        (NamedPeriod.YESTERDAY, (date(2026, 11, 17), date(2026, 11, 17))),
        (NamedPeriod.LAST_7_DAYS, (date(2026, 11, 12), date(2026, 11, 18))),
        (NamedPeriod.LAST_30_DAYS, (date(2026, 10, 20), date(2026, 11, 18))),
        (NamedPeriod.THIS_MONTH, (date(2026, 11, 1), date(2026, 11, 18))),
    ],
)
def test_a_named_period_counts_the_practices_own_days(house: SmallHouse, period: NamedPeriod, days: tuple[date, date]) -> None:
    evening = datetime(2026, 11, 19, 1, 30, tzinfo=UTC)  # half past eight on the 18th in New York
    asked = Wanted(period=period, practice_id="eastern").filter_for(house.all_practices, evening)
    assert (asked.first_day, asked.last_day) == days
    assert asked.practice_ids == ("eastern",)


def test_today_is_the_day_of_each_practice_that_is_shown(house: SmallHouse) -> None:
    past_midnight_in_new_york = datetime(2026, 11, 19, 5, 30, tzinfo=UTC)
    asked = Wanted(period=NamedPeriod.TODAY).filter_for(house.all_practices, past_midnight_in_new_york)
    assert (asked.first_day, asked.last_day) == (date(2026, 11, 18), date(2026, 11, 19))


def test_days_beside_a_named_period_narrow_it(house: SmallHouse) -> None:
    now = datetime(2026, 11, 18, 17, 0, tzinfo=UTC)
    asked = Wanted(period=NamedPeriod.LAST_7_DAYS, first_day=date(2026, 11, 15)).filter_for(house.all_practices, now)
    assert (asked.first_day, asked.last_day) == (date(2026, 11, 15), date(2026, 11, 18))


# -- the page


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
