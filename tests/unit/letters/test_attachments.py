import csv
import io
import zipfile
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from order_sync.reconciliation.classes import TEXTS
from order_sync.reconciliation.statement import Statement
from order_sync.reports.columns import LINE_COLUMNS, Kind
from order_sync.reports.contents import contents_of
from order_sync.reports.csv_file import csv_of
from order_sync.reports.letters import compose_letter
from order_sync.reports.spreadsheet_text import delimited_text, is_like_a_formula
from order_sync.reports.workbook import workbook_of
from tests.unit.letters import statements
from tests.unit.letters.statements import MONDAY, C, line, statement

TITLES = [column.title for column in LINE_COLUMNS]
HEAD, FIRST = 4, 5
"""Rows of a sheet of lines, counted from 1."""
STARTS = "=+-@\t\r\n\x00＝＋－＠|%"  # noqa: RUF001 - full-width forms are what is tested
BEFORE = ["", " ", "\t", '"', "'", "\u00a0", "\u200b", "“", " ' "]
"""What programs skip before they look for the start of a formula."""
# What a person, or a program that is not ours, may have written into a text.
HOSTILE = st.one_of(
    st.text(max_size=40),
    st.builds(
        lambda before, start, rest: before + start + rest,
        st.sampled_from(BEFORE),
        st.sampled_from(list(STARTS)),
        st.sampled_from(["1+1", "cmd|' /C calc'!A0", 'HYPERLINK("https://x.example","x")', "SUM(A1)", "http://x.example"]),
    ),
    st.sampled_from(["http://x.example", "mailto:x@y.example", "internal:Summary!A1", "file:///etc/passwd", "1e5", "TRUE"]),
)


def opened(report: Statement, *, values: bool = False) -> Workbook:
    return load_workbook(io.BytesIO(workbook_of(contents_of(report))), data_only=values)


def column(sheet: Worksheet, title: str) -> list[object]:
    index = TITLES.index(title) + 1
    return [sheet.cell(row, index).value for row in range(FIRST, sheet.max_row + 1)]


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_every_class_that_has_lines_has_a_sheet_and_no_other():
    report = statements.busy_day()
    sheets = opened(report).sheetnames
    assert sheets[0] == "Summary"
    assert len(sheets) == 1 + len(report.classes) + 1
    assert "On hold" in sheets
    assert sheets[-1] == "Still open"


def test_amounts_are_numbers_and_days_are_days():
    sheet = opened(statements.busy_day(), values=True)["Too little in Nextech"]
    found = {title: sheet.cell(FIRST, TITLES.index(title) + 1) for title in TITLES}
    assert found["Store"].value == 249.99
    assert Decimal(str(found["Difference"].value)) == Decimal("0.09")
    assert found["Difference"].number_format == '"$"#,##0.00;-"$"#,##0.00'
    assert found["Day in the store"].value == datetime(MONDAY.year, MONDAY.month, MONDAY.day)  # noqa: DTZ001 - a bare day
    assert found["Order"].data_type == "s"
    assert found["Order"].value == "100000132"


def test_sums_are_formulas_and_their_values_are_there_for_those_who_cannot_calculate():
    report = statements.busy_day()
    formulas, values = opened(report), opened(report, values=True)
    letter = "ABCDEFGHIJKLMNOP"[TITLES.index("Difference")]
    for total, name in zip(report.classes, formulas.sheetnames[1:-1], strict=True):
        last = FIRST + total.count - 1
        assert formulas[name][f"{letter}3"].value == f"=SUBTOTAL(109,{letter}{FIRST}:{letter}{last})"
        assert Decimal(str(values[name][f"{letter}3"].value)) == Decimal(total.explains_cents) / 100
        assert sum(round(amount * 100) for amount in column(values[name], "Difference")) == total.explains_cents
        assert len(column(values[name], "Order")) == total.count


def test_the_summary_ties_by_formulas_over_the_sheets():
    report = statements.month()
    formulas, values = opened(report)["Summary"], opened(report, values=True)["Summary"]
    by_name = {values.cell(row, 1).value: row for row in range(1, values.max_row + 1)}
    difference = by_name["Difference"]
    assert round(values.cell(difference, 3).value * 100) == report.variance_cents
    assert formulas.cell(difference, 3).value == f"=C{by_name['Store']}-C{by_name['Nextech']}"
    everything = by_name["All kinds"]
    assert values.cell(everything, 2).value == len(report.lines)
    assert round(values.cell(everything, 3).value * 100) == report.variance_cents
    assert f"C{difference}" in formulas.cell(everything, 4).value
    assert values.cell(everything, 4).value == "ties with the difference above"
    for total in report.classes:
        row = by_name[TEXTS[total.class_].title]
        assert (values.cell(row, 2).value, round(values.cell(row, 3).value * 100)) == (total.count, total.explains_cents)
    held = by_name["On hold"]
    assert formulas.cell(held, 3).value.startswith("=SUM('On hold'!")
    assert round(values.cell(by_name["Owed at the end"], 3).value * 100) == report.gift_cards.closing_cents


def test_headings_stand_still_and_can_be_filtered():
    sheet = opened(statements.busy_day())["Agrees"]
    assert sheet.freeze_panes == "C5"
    assert sheet.auto_filter.ref == f"A{HEAD}:N{FIRST + 14 - 1}"
    assert [cell.value for cell in sheet[HEAD]] == TITLES
    assert sheet.print_title_rows == f"${HEAD}:${HEAD}"


def test_the_month_has_its_days():
    report = statements.month()
    sheet = opened(report, values=True)["Days"]
    assert [sheet.cell(row, 1).value.day for row in range(4, 35)] == list(range(1, 32))
    assert round(sheet.cell(35, 4).value * 100) == report.variance_cents
    assert opened(report)["Days"].cell(35, 4).value == "=SUM(D4:D34)"


def test_what_agrees_and_is_too_long_is_left_out_and_the_summary_still_ties(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("order_sync.reports.contents.LINES_OF_THE_FILES", 100)
    report = statements.month()
    assert [row.class_ for row in contents_of(report).left_out] == [C.MATCHED]
    book = opened(report, values=True)
    assert "Agrees" not in book.sheetnames
    found = {row[0].value: (row[1].value, row[2].value) for row in book["Summary"].iter_rows(max_col=3)}
    assert found["Agrees (too long for this file)"] == (120, 0)
    assert found["All kinds"][0] == len(report.lines)
    assert round(found["All kinds"][1] * 100) == report.variance_cents
    _, *body = rows(csv_of(contents_of(report)))
    assert len(body) == len(report.lines) - 120


def test_what_asks_for_a_person_is_never_left_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("order_sync.reports.contents.LINES_OF_THE_FILES", 0)
    left_out = {row.class_ for row in contents_of(statements.busy_day()).left_out}
    assert left_out == {C.MATCHED, C.NOTHING_TO_POST}


def test_a_report_of_nothing_is_still_a_workbook():
    book = opened(statements.empty_day(), values=True)
    assert book.sheetnames == ["Summary"]


def test_a_changed_period_has_its_lines_in_the_workbook():
    sheets = opened(statements.reopened()).sheetnames
    assert "Changed 2026-11-02 v2" in sheets
    assert "Changed 2026-10-30 v3" in sheets


def test_every_class_can_have_a_sheet():
    lines = [line(class_, 100_000_000 + n, 500, 300) for n, class_ in enumerate(C)]
    sheets = opened(statement("eastern", statements.day_of(MONDAY), lines)).sheetnames
    assert len(sheets) == len({name.casefold() for name in sheets}) == 1 + len(C)


def test_the_same_statement_gives_the_same_file_whose_date_is_the_cut_off():
    report = statements.busy_day()
    content = workbook_of(contents_of(report))
    assert content == workbook_of(contents_of(report))
    assert load_workbook(io.BytesIO(content)).properties.created == report.cut_off.replace(tzinfo=None)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def hostile_report(text: str) -> Statement:
    order = line(C.NEEDS_A_PERSON, 1, 5_000, number=text, reason=text, owner=text, suggestion=text, marker=text, next_step=text)
    payment = statements.entry(C.UNLINKED, "2", 700, payment_ids=(text,), number=text)
    report = statement("eastern", statements.day_of(MONDAY), [order, payment], notes={text: text}, still_open=(order,))
    return replace(report, practice_name=f"Harbor {text}", refund_ageing=(statements.AgeBand(text, 1, 5),))


@settings(max_examples=60)
@given(HOSTILE)
def test_no_text_becomes_a_formula_or_a_link_in_the_workbook(text: str):
    report = hostile_report(text)
    book = opened(report)
    ours = ("=SUM(", "=SUBTOTAL(", "=ROWS(", "=IF(ROUND(", "=C")
    for sheet in book.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.data_type != "f" or str(cell.value).startswith(ours), (sheet.title, cell.coordinate)
            assert cell.hyperlink is None or cell.hyperlink.location, (sheet.title, cell.coordinate)
        if sheet.title not in {"Summary", "Not read"}:
            for title, kind in ((column.title, column.kind) for column in LINE_COLUMNS):
                if kind is Kind.TEXT and title != "Kind":
                    cells = (sheet.cell(row, TITLES.index(title) + 1) for row in range(FIRST, sheet.max_row + 1))
                    assert all(cell.data_type in {"s", "n"} and not isinstance(cell.value, int | float) for cell in cells)
    with zipfile.ZipFile(io.BytesIO(workbook_of(contents_of(report)))) as archive:
        assert not [name for name in archive.namelist() if "externalLink" in name or "vba" in name]
        links = b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".rels"))
    assert b"TargetMode" not in links


@settings(max_examples=200)
@given(HOSTILE)
def test_no_text_of_the_csv_file_can_be_taken_for_a_formula(text: str):
    content = csv_of(contents_of(hostile_report(text)))
    head, *body = rows(content)
    assert len(body) == 3
    numbers = {column.title for column in LINE_COLUMNS if column.kind in {Kind.CENTS, Kind.COUNT}}
    for row in body:
        assert len(row) == len(head)
        for title, field in zip(head, row, strict=True):
            if title in numbers:
                assert field == "" or Decimal(field).is_finite()
            else:
                assert not is_like_a_formula(field) or field.startswith("'"), (title, field)
            assert field.splitlines() in ([field], [])


def test_what_a_spreadsheet_could_take_for_a_formula_gets_an_apostrophe():
    hidden = [f"{before}{start}1+1" for before in BEFORE for start in STARTS if start.isprintable()]
    for text in [*hidden, *("\t1", "\r1", "\n", "\x001", "\u20281")]:
        assert is_like_a_formula(text), ascii(text)
        assert delimited_text(text).startswith("'"), ascii(text)


@pytest.mark.parametrize("text", ["", "100000123", "a=b", "Paid - by card", "DP-7K3QX0M9ZT4R-H", "é", "3-4"])
def test_an_honest_text_is_left_as_it_is(text: str):
    assert delimited_text(text) == text


def test_the_csv_file_opens_in_excel_and_follows_the_standard():
    content = csv_of(contents_of(statements.busy_day()))
    assert content.startswith(b"\xef\xbb\xbfPeriod,Class,Kind,Order,")
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content == csv_of(contents_of(statements.busy_day()))


def test_the_amounts_of_the_csv_file_tie_with_the_report():
    report = statements.month()
    head, *body = rows(csv_of(contents_of(report)))
    difference, period = head.index("Difference"), head.index("Period")
    assert sum(int(Decimal(row[difference]) * 100) for row in body if row[period] == "2026-10") == report.variance_cents
    assert len(body) == len(report.lines)
    by_class = {row[1] for row in body}
    assert by_class == {total.class_.value for total in report.classes}


def test_what_is_open_from_before_is_marked_so():
    head, *body = rows(csv_of(contents_of(statements.busy_day())))
    earlier = [row for row in body if row[0] == "earlier"]
    assert [row[head.index("Order")] for row in earlier] == ["100000031", "100000077", "100000090"]
    assert body[-3:] == earlier


def test_both_files_go_with_the_letter_under_the_reports_id():
    files = compose_letter(statements.one_order()).attachments
    assert [file.name for file in files] == ["eastern-2026-11-02-v1.xlsx", "eastern-2026-11-02-v1.csv"]
    assert files[1].media_type == "text/csv; charset=utf-8"
