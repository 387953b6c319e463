import dataclasses
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from order_sync.errors import ReconciliationError
from order_sync.reconciliation.statement import Line, Statement
from order_sync.reports.contents import contents_of
from order_sync.reports.items import Item
from order_sync.reports.letters import ROWS_OF_THE_TO_DO_LIST, Letter, Links, compose_alarm, compose_letter
from order_sync.resources import TEMPLATES_FOLDER
from tests.unit.letters import statements
from tests.unit.letters.golden import FOLDER, LETTERS, files_of
from tests.unit.letters.statements import MONDAY, C, line, statement

XHTML = "{http://www.w3.org/1999/xhtml}"
STATEMENTS = {
    "no orders": statements.empty_day,
    "one order": statements.one_order,
    "busy day": statements.busy_day,
    "5,000 orders": statements.five_thousand,
    "month": statements.month,
    "re-opened": statements.reopened,
    "Arizona": statements.arizona_at_the_change,
    "February 29": statements.leap_day,
    "hostile": statements.hostile,
}
GMAIL_CUTS_AT_BYTES = 102_000


@cache
def composed(name: str) -> Letter:
    return compose_letter(STATEMENTS[name]())


def tree(letter: Letter) -> ET.Element:
    """Return the letter's HTML as a tree; raises where a tag is left open or an ampersand is bare."""
    assert letter.html.startswith("<!DOCTYPE html>")
    return ET.fromstring(letter.html)  # noqa: S314 - our own letter


def texts(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def cents(text: str) -> int:
    match = re.fullmatch(r"(-?)\$([\d,]+)\.(\d\d)", text)
    assert match, text
    return int(f"{match[1]}{match[2].replace(',', '')}{match[3]}")


def section(letter: Letter, heading: str) -> list[list[str]]:
    """Return the rows of the first table under a heading."""
    elements = list(tree(letter).iter())
    start = next(n for n, element in enumerate(elements) if element.tag == f"{XHTML}h2" and texts(element) == heading)
    table = next(element for element in elements[start:] if element.tag == f"{XHTML}table")
    return [[texts(cell) for cell in row] for row in table.findall(f"{XHTML}tr")]


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_what_is_kept_in_the_folder_of_examples(name: str):
    for file, content in files_of(name):
        assert (FOLDER / name / file).read_bytes() == content, f"{name}/{file}: `make letters`, and read the diff"


def test_no_example_is_left_over():
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(LETTERS)


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_same_statement_gives_the_same_bytes(name: str):
    assert compose_letter(STATEMENTS[name]()) == composed(name)


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_amounts_of_a_letter_tie(name: str):
    report, letter = STATEMENTS[name](), composed(name)
    sides = {row[0]: cents(row[1]) for row in section(letter, "Both sides")}
    assert sides["Came in at the store"] + sides["Given back by the store"] == sides["Store"]
    assert sides["Posted in Nextech"] + sides["Refunds recorded in Nextech"] == sides["Nextech"]
    assert sides["Store"] - sides["Nextech"] == sides["Difference"] == report.variance_cents
    if any(total.explains_cents for total in report.classes):
        rows = section(letter, "What makes up the difference")[1:]
        assert sum(cents(row[2]) for row in rows[:-1]) == cents(rows[-1][2]) == report.variance_cents
    said = [cents(row.split()[-1]) for row in letter.text.splitlines() if row.startswith("DIFFERENCE ")]
    assert set(said) == {report.variance_cents}
    assert len(said) == 1 + any(total.explains_cents for total in report.classes)
    for heading, bands in (
        ("Refunds to record, by age", report.refund_ageing),
        ("Unapplied payments, by age", report.unapplied),
    ):
        if bands:
            *rows, everything = section(letter, heading)[1:]
            assert sum(cents(row[3]) for row in rows) == cents(everything[3]) == sum(band.amount_cents for band in bands)
            assert everything[3] in letter.text


@pytest.mark.parametrize("name", STATEMENTS)
def test_every_row_of_a_data_table_says_what_it_is_about(name: str):
    for table in tree(composed(name)).iter(f"{XHTML}table"):
        if table.get("role") == "presentation":
            continue
        for row in table.findall(f"{XHTML}tr"):
            assert row[0].tag == f"{XHTML}th"
            assert row[0].get("scope") in {"row", "col"}


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_brings_nothing_that_a_mail_program_would_block(name: str):
    letter = LETTERS[name]()
    root = tree(letter)
    assert not {element.tag.removeprefix(XHTML) for element in root.iter()} & {"script", "img", "svg", "link", "iframe", "form"}
    assert not [element for element in root.iter() if any(key.startswith("on") for key in element.attrib)]
    assert "url(" not in letter.html
    links = {element.get("href") for element in root.iter() if element.get("href")}
    assert all(link.startswith("https://airflow.example/orders/reports") for link in links)
    assert len(letter.html.encode()) < GMAIL_CUTS_AT_BYTES


def test_a_letter_with_a_third_of_all_classes_at_once_is_still_shown_whole():
    why = "Two patients fit. " * 8
    lines = [line(C.NEEDS_A_PERSON, 100_000_000 + n, 123_456_789, age_days=99, reason=why) for n in range(60)]
    lines += [line(class_, 100_001_000 + n, 99_999_999, 55_555_555, age_days=40) for n, class_ in enumerate(list(C)[::3])]
    full = statements.month()
    more = {"refund_ageing": full.refund_ageing, "unapplied": full.unapplied, "gift_cards": full.gift_cards, "version": 2}
    report = statement("eastern", full.period, [*full.lines, *lines], reopened=statements.reopened().reopened, **more)
    assert len(compose_letter(report).html.encode()) < GMAIL_CUTS_AT_BYTES


def test_a_day_that_agrees_says_so_and_that_there_is_nothing_to_do():
    letter = compose_letter(statements.one_order())
    assert "Both sides agree to the cent. Nothing to do today." in letter.text
    assert letter.subject == "Biscayne Dermatology, Monday, November 2: both sides agree, nothing to do"
    assert "TO DO" not in letter.text


def test_a_day_without_orders_says_that_nothing_happened():
    assert "No money moved: nothing came in, and nothing was posted. Nothing to do today." in " ".join(
        compose_letter(statements.empty_day()).text.split()
    )


def test_what_is_wrong_comes_first_then_the_oldest_earlier_days_included():
    items = contents_of(statements.busy_day()).to_do
    assert [item.is_critical for item in items] == sorted((item.is_critical for item in items), reverse=True)
    waiting = [item.age_days for item in items if not item.is_critical]
    assert waiting == sorted(waiting, reverse=True)
    assert waiting[:3] == [34, 12, 3]
    rows = section(composed("busy day"), "To do today")
    which, what, amount = rows[3]
    assert (which, amount) == ("100000031 order, 34 days old", "$120.00")
    assert what.startswith("Refund to record. Record the refund on the patient's billing tab in Nextech. From Tue, Sep 29.")
    assert what.endswith("Taken on by front.desk.")


def test_a_line_that_is_open_from_before_and_in_this_period_is_listed_once():
    held = line(C.ON_HOLD, 100_000_102, 4_100)
    report = statement("eastern", statements.day_of(MONDAY), [held], still_open=(held,))
    assert [item.is_earlier for item in contents_of(report).to_do] == [False]


def test_a_refund_and_its_order_are_two_things_to_do():
    lines = [line(C.NEEDS_A_PERSON, 100_000_102, 4_100), line(C.REFUND_TO_RECORD, 100_000_102, -900)]
    assert len(contents_of(statement("eastern", statements.day_of(MONDAY), lines)).to_do) == 2


def test_a_long_list_ends_with_how_many_more_there_are():
    letter = composed("5,000 orders")
    rows = section(letter, "To do today")[1:]
    assert len(rows) == ROWS_OF_THE_TO_DO_LIST
    assert f"And {40 - ROWS_OF_THE_TO_DO_LIST} more, in the attached workbook." in letter.html
    assert f"And {40 - ROWS_OF_THE_TO_DO_LIST} more, in the attached workbook." in letter.text
    assert "40 things to do today" in letter.text


def test_an_order_that_needs_a_person_says_why_in_the_place_of_its_class():
    rows = {row[0]: row[1] for row in section(composed("busy day"), "To do today")}
    assert rows["100000133 order, new"].startswith("Two patients fit: same name and birthday. Resolve it on the Orders page.")
    held = line(C.ON_HOLD, 100_000_134, 61_000, reason="On hold in the store")
    letter = compose_letter(statement("eastern", statements.day_of(MONDAY), [held]))
    assert "On hold. Check the order" in letter.text
    assert "On hold in the store" not in letter.text


def test_a_suggestion_is_said_to_be_one():
    for body in (composed("busy day").text, composed("busy day").html):
        assert "Order 100000133 might fit; nobody has confirmed it." in " ".join(body.split())


def test_both_amounts_are_said_where_both_sides_have_one():
    letter = composed("busy day")
    assert "Store $249.99, Nextech $249.90." in letter.html
    assert "Store $249.99, Nextech $249.90." in letter.text


def test_a_report_that_is_sent_again_says_so_and_nothing_else_changes():
    once, again = composed("busy day"), compose_letter(statements.busy_day(), is_repeat=True)
    assert again.subject == f"{once.subject} (sent again)"
    assert "This is the same report as before, sent again" in again.text
    assert once.attachments == again.attachments


def test_a_reopened_period_says_what_it_was_and_what_did_it():
    letter = compose_letter(statements.reopened())
    assert letter.subject.endswith(", version 2")
    words = " ".join(letter.text.split())
    assert "the difference was $0.00 and is now $44.00" in words
    assert "Friday, October 30, 2026, now version 3" in words
    assert "Order 100000104, new" in words


def test_what_changed_a_closed_period_adds_up_to_the_change_of_its_difference():
    for reopening in statements.reopened().reopened:
        assert sum(changed.explains_cents for changed in reopening.lines) == reopening.after_cents - reopening.before_cents
    tables = [
        table
        for table in tree(composed("re-opened")).iter(f"{XHTML}table")
        if table[0].tag == f"{XHTML}caption" and "What came" in texts(table[0])
    ]
    for table in tables:
        *changes, everything = [cents(texts(row[2])) for row in table.findall(f"{XHTML}tr")[1:]]
        assert sum(changes) == everything
    assert len(tables) == 2


def test_what_could_not_be_read_is_said_first_and_never_passed_off_as_agreement():
    report = statement("eastern", statements.day_of(MONDAY), [], notes={f"order:{n}": f"Order {n} is odd." for n in range(12)})
    letter = compose_letter(report)
    assert letter.subject.endswith("what was read agrees, 12 not read")
    assert "What could be read agrees to the cent. 12 things could not be read and are in none of the sums." in " ".join(
        letter.text.split()
    )
    assert "Nothing to do" not in letter.text + letter.html
    for body in (letter.text, letter.html):
        assert "Order 0 is odd." in body
        assert "And 2 more." in body


def test_a_letter_whose_files_leave_something_out_says_what(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("order_sync.reports.contents.LINES_OF_THE_FILES", 20)
    letter = compose_letter(statements.busy_day())
    assert "without what agrees and is too long for a letter: Agrees" in " ".join(letter.text.split())
    assert "Agrees (14)" in letter.html


def test_the_month_shows_its_days_and_their_sums():
    report = statements.month()
    letter = compose_letter(report)
    rows = section(letter, "Day by day")[1:]
    assert len(rows) == 31 + 1
    assert cents(rows[-1][2]) == sum(day.store_cents for day in report.days)
    assert sum(cents(row[2]) for row in rows[:-1]) == cents(rows[-1][2])
    assert "Sat, Oct 31" in letter.text


def test_the_letter_of_one_day_has_no_chart_of_days():
    assert "Day by day" not in composed("busy day").html


def test_days_are_the_practices_own_also_where_clocks_do_not_change():
    arizona, eastern = compose_letter(statements.arizona_at_the_change()), compose_letter(statements.one_order())
    assert "the practice's own (MST); ages are counted to the end of Sunday, November 1." in " ".join(arizona.text.split())
    assert "the practice's own (EST); ages are counted to the end of Monday, November 2." in " ".join(eastern.text.split())
    assert compose_letter(statements.leap_day()).subject.startswith("Biscayne Dermatology, Tuesday, February 29: ")


def test_foreign_text_stays_text_on_one_line():
    letter = compose_letter(statements.hostile(), is_repeat=True)
    assert "<script" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert "{{7*7}}" in letter.html
    assert "49" not in letter.subject
    assert not set("\r\n\x00\u202e") & set(letter.subject)
    assert "\x00" not in letter.html + letter.text
    assert "\u202e" not in letter.html + letter.text
    # A line break in a name could begin a line of its own, such as a header or a heading.
    assert not [row for row in letter.text.splitlines() if row.lstrip().startswith("Bcc:")] or "\r" not in letter.text
    tree(letter)


def test_a_report_that_does_not_tie_makes_no_letter():
    report = statements.busy_day()
    broken = [
        replace(report, store_in_cents=report.store_in_cents + 1),
        replace(report, store_in_cents=report.store_in_cents + 1, posted_cents=report.posted_cents + 1),
        replace(report, lines=report.lines[1:]),
        replace(report, classes=report.classes[1:]),
        replace(report, classes=(*report.classes, report.classes[0])),
    ]
    for one in broken:
        with pytest.raises(ReconciliationError, match=r"^report eastern-2026-11-02-v1 does not tie: "):
            compose_letter(one)


def test_an_alarm_says_which_report_is_missing_why_and_what_to_do():
    letter = compose_alarm(statements.unreadable_store())
    assert letter.subject == "Saguaro Dermatology, Monday, November 2: no report, the store could not be read"
    for words in ("There is no report of Monday, November 2: the store could not be read.", "WHAT TO DO", "status 503"):
        assert words in " ".join(letter.text.split())
    assert letter.attachments == ()
    tree(letter)


def test_an_alarm_of_a_report_that_does_not_tie_shows_what_is_left_over_and_warns():
    letter = compose_alarm(statements.untied(), is_repeat=True)
    assert letter.subject.endswith("no report, the report does not tie (sent again)")
    assert "Book and correct nothing by this letter." in letter.text
    rows = {row[0]: cents(row[1]) for row in section(letter, "What happened")}
    assert rows["Difference between both sides"] - rows["Explained by the kinds of difference"] == rows["Left over"] == 10


def test_an_alarm_holds_the_errors_sentence_as_text_on_one_line():
    alarm = replace(statements.unreadable_store(), message="<b>x</b>\r\nBcc: x@y.example", practice_name="A\r\nB")
    letter = compose_alarm(alarm)
    assert "<b>" not in letter.html
    assert letter.subject.startswith("A B, ")


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "/reports", "https://", "https://a.example/\r\nx", "ftp://a.example"]
)
def test_a_link_must_be_the_address_of_a_page(address: str):
    with pytest.raises(ValueError, match="reports_url must be an http or https address"):
        Links(address)


def test_a_report_links_to_its_page():
    letter = compose_letter(statements.one_order(), links=Links("https://airflow.example/reports/"))
    assert 'href="https://airflow.example/reports/eastern-2026-11-02-v1"' in letter.html
    assert "https://airflow.example/reports/eastern-2026-11-02-v1" in letter.text


def templates_of_reports() -> list[Path]:
    """Return every template but those of the pages that show a patient to who may see one."""
    pages = Path(TEMPLATES_FOLDER) / "pages"
    without = {pages / name for name in ("health.html", "audit.html", "api.html", "layout.html")}
    found = [path for path in Path(TEMPLATES_FOLDER).rglob("*.*") if pages not in path.parents or path in without]
    return [*found, *(pages / "reports").iterdir()]


def test_nothing_that_a_template_of_a_report_can_see_has_a_place_for_a_patient():
    fields = {field.name for kind in (Statement, Line, Item) for field in dataclasses.fields(kind)}
    assert not [name for name in fields if re.search("patient|first|last_|email|phone|birth|address|customer", name)]
    assert len(templates_of_reports()) > 15
    for path in templates_of_reports():
        names = re.findall(r"{[{%](.*?)[%}]}", path.read_text(), re.DOTALL)
        code = [re.sub(r"\"[^\"]*\"|'[^']*'", "", name) for name in names]
        assert not [name for name in code if re.search(r"patient|email|phone|birth", name)], path


def test_the_plain_text_fits_narrow_screens():
    for name in STATEMENTS:
        assert max(map(len, composed(name).text.splitlines())) <= 100
