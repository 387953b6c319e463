import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

import order_sync.web
from order_sync.reconciliation.statement import Statement
from order_sync.reports.contents import contents_of
from order_sync.reports.looks import page_sheet
from order_sync.reports.pages import (
    LINES_OF_A_PAGE,
    FoundLine,
    Frame,
    NoSuchPageError,
    ReportHeader,
    Selection,
    Step,
    Work,
    class_page,
    found_page,
    line_page,
    report_page,
    reports_page,
)
from tests.unit.letters import statements
from tests.unit.letters.statements import C
from tests.unit.letters.test_letters import cents, texts

FRAME = Frame("/orders/reports/")
HISTORY = (
    Step(datetime(2026, 11, 2, 14, 5, tzinfo=UTC), "Extracted", "the sync"),
    Step(datetime(2026, 11, 3, 15, 1, tzinfo=UTC), "Taken on", "front.desk"),
)


def header(report: Statement, **more: object) -> ReportHeader:
    return ReportHeader(report.report_id, report.practice_name, report.period, report.version, report.variance_cents, **more)


def pages() -> dict[str, str]:
    busy, many, hostile = statements.busy_day(), statements.five_thousand(), statements.hostile()
    to_do = contents_of(busy).to_do
    begun = {(to_do[0].subject, to_do[0].class_): Work(7, "assigned", "Taken on by billing", acts=("settle", "wait"))}
    evil = Selection(practices=(("eastern", "<script>"), ("b", "B")), number='"><script>', newer_href="/orders/reports?a=1&b=2")
    return {
        "list": reports_page(FRAME, [header(busy, to_do_count=10, delivery="mailed"), header(statements.month())]),
        "empty list": reports_page(FRAME, []),
        "found": found_page(FRAME, [FoundLine(header(busy), line) for line in busy.lines], Selection(number="100000118")),
        "nothing found": found_page(FRAME, [], evil),
        "report": report_page(FRAME, busy, letters=HISTORY, versions=[header(statements.reopened())], work=begun),
        "month": report_page(FRAME, statements.month()),
        "re-opened": report_page(FRAME, statements.reopened()),
        "nothing": report_page(FRAME, statements.empty_day()),
        "class": class_page(FRAME, many, C.MATCHED, page=2),
        "order": line_page(FRAME, busy, "order:100000118", history=HISTORY, order_key=5),
        "payment": line_page(FRAME, busy, "entry:88219"),
        "difference": line_page(FRAME, busy, to_do[0].subject, work=begun),
        "hostile list": reports_page(FRAME, [header(hostile, delivery="<script>")], evil),
        "hostile report": report_page(FRAME, hostile, letters=(Step(HISTORY[0].at, "<script>", "<script>"),)),
        "hostile class": class_page(FRAME, hostile, C.NEEDS_A_PERSON),
        "hostile order": line_page(FRAME, hostile, hostile.lines[1].subject),
    }


PAGES = pages()


def tree(page: str) -> ET.Element:
    assert page.startswith("<!DOCTYPE html>")
    return ET.fromstring(page)  # noqa: S314 - our own page: every tag is closed, so that a stray one is noticed


def links(page: str) -> list[str]:
    return [element.get("href") for element in tree(page).iter() if element.get("href")]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_keeps_a_strict_content_security_policy(page: str):
    elements = list(tree(page).iter())
    assert not {"img", "iframe", "svg", "style"} & {element.tag for element in elements}
    assert not [key for element in elements for key in element.attrib if key == "style" or key.startswith("on")]
    (script,) = [element for element in elements if element.tag == "script"]
    assert (script.get("src"), script.text) == ("/orders/static/theme.js", None)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_class_that_a_page_uses_is_in_a_sheet(page: str):
    sheets = page_sheet() + (Path(order_sync.web.__file__).parent / "static" / "pages.css").read_text()
    used = {name for element in tree(page).iter() for name in element.get("class", "").split()}
    assert not [name for name in used if not re.search(rf"\.{name}\b", sheets)]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_can_be_read_aloud(page: str):
    root = tree(page)
    assert root.get("lang") == "en"
    assert len(list(root.iter("h1"))) == len(list(root.iter("main"))) == 1
    for table in root.iter("table"):
        if table.get("role") != "presentation":
            rows = [row for part in (table, *table.findall("thead"), *table.findall("tbody")) for row in part.findall("tr")]
            assert rows
            assert all(row[0].get("scope") in {"row", "col"} for row in rows)
    labelled = {label.get("for") for label in root.iter("label")}
    fields = [one for kind in ("input", "select") for one in root.iter(kind) if one.get("type") != "hidden"]
    assert {one.get("id") for one in fields} <= labelled


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_a_page_links_and_sends_only_below_where_it_is_mounted(page: str):
    sent = [form.get("action") for form in tree(page).iter("form")]
    for href in (*links(page), *sent):
        assert href == "#main" or href.startswith("/orders/"), href
        assert not re.search(r"[\s<>\"]", href)


@pytest.mark.parametrize("page", [page for name, page in PAGES.items() if "hostile" in name or name == "nothing found"])
def test_hostile_text_stays_text(page: str):
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_difference_can_be_worked_on_by_who_may():
    acts = [form.get("action") for form in tree(PAGES["difference"]).iter("form")]
    assert [path.rpartition("/")[2] for path in acts] == ["settle", "wait"]
    assert 'value="assigned"' in PAGES["difference"]
    assert "Taken on by billing." in texts(tree(PAGES["report"]))
    assert not list(tree(PAGES["order"]).iter("form"))


def test_a_line_links_to_the_page_of_its_order():
    assert "/orders/orders/5" in links(PAGES["order"])
    assert not [href for href in links(PAGES["payment"]) if href.startswith("/orders/orders/")]


def test_from_the_total_to_the_class_to_the_order_to_its_history():
    busy = statements.busy_day()
    assert "/orders/reports/eastern-2026-11-02-v1" in links(PAGES["list"])
    assert "/orders/reports/eastern-2026-11-02-v1/refund_to_record" in links(PAGES["report"])
    assert "/orders/reports/eastern-2026-11-02-v1/lines/order%3A100000118" in links(class_page(FRAME, busy, C.REFUND_TO_RECORD))
    words = texts(tree(PAGES["order"]))
    assert words.index("Taken on") < words.index("Extracted")
    assert "Monday, November 2, 2026, 9:05 AM EST" in words


def test_an_order_with_a_refund_shows_both_of_its_lines():
    words = texts(tree(PAGES["order"]))
    assert "Agrees" in words
    assert "Refund to record" in words


def test_the_classes_of_a_report_add_up_to_its_difference():
    busy = statements.busy_day()
    amounts = [
        cents(re.search(r"-?\$[\d,.]+\d", texts(next(tree(class_page(FRAME, busy, total.class_)).iter("h1"))))[0])
        for total in busy.classes
    ]
    assert sum(amounts) == busy.variance_cents


def test_a_class_of_many_lines_is_shown_in_pages_that_hold_each_line_once():
    many = statements.five_thousand()
    count = next(total.count for total in many.classes if total.class_ is C.MATCHED)
    pages_needed = -(-count // LINES_OF_A_PAGE)
    seen = [
        href
        for page in range(1, pages_needed + 1)
        for href in links(class_page(FRAME, many, C.MATCHED, page=page))
        if "/lines/" in href
    ]
    assert len(seen) == len(set(seen)) == count
    assert "/orders/reports/central-2026-11-27-v1/matched?page=3" in links(PAGES["class"])


@pytest.mark.parametrize("page", [0, -1, 26])
def test_a_page_that_is_not_there_is_refused(page: int):
    with pytest.raises(NoSuchPageError):
        class_page(FRAME, statements.five_thousand(), C.MATCHED, page=page)


def test_a_class_or_an_order_that_the_report_does_not_have_is_refused_without_repeating_it():
    with pytest.raises(NoSuchPageError):
        class_page(FRAME, statements.one_order(), C.ORPHAN)
    with pytest.raises(NoSuchPageError, match=r"^report eastern-2026-11-02-v1 does not name this subject$"):
        line_page(FRAME, statements.one_order(), "order:<script>")


def test_an_order_that_only_another_period_names_has_no_link():
    reopened = links(PAGES["re-opened"])
    assert any(href.endswith("/lines/order%3A100000104") for href in reopened)
    assert not any("100000055" in href for href in reopened)


def test_what_the_list_says_is_what_the_reports_say():
    words = texts(tree(PAGES["list"]))
    assert "Monday, November 2, 2026" in words
    assert "$394.59" in words
    assert len(contents_of(statements.busy_day()).to_do) == 10


def test_the_same_report_gives_the_same_page():
    assert pages() == PAGES
