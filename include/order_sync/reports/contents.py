"""What a report says, in the order in which it says it: chosen and sorted here once for letters, pages and files.

A statement that does not tie has no contents: its report is an alarm.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from order_sync.errors import ReconciliationError
from order_sync.reconciliation.classes import TEXTS, DifferenceClass, Weight
from order_sync.reconciliation.periods import PeriodKind
from order_sync.reconciliation.statement import AgeBand, ClassTotal, DayTotal, Reopening, Statement
from order_sync.reports.headlines import write_headline, write_outcome
from order_sync.reports.items import LONGEST_NAME, Item, item_of, needs_a_person
from order_sync.reports.wording import one_line, period_words, short_day

LINES_OF_THE_FILES = 50_000
"""A mail with more would not be taken by mail servers; what agrees is left out first, and it is said."""

_LINES_OF_A_REOPENING = 10
_SENTENCES_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class of the period."""

    class_: DifferenceClass
    title: str
    meaning: str
    next_step: str
    count: int
    explains_cents: int
    is_critical: bool


@dataclass(frozen=True, slots=True)
class KindRow:
    """Everything on the to-do list of one class."""

    class_: DifferenceClass
    title: str
    count: int
    amount_cents: int
    oldest_days: int | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart: its length is a whole percentage of the longest."""

    label: str
    percent: int
    second_percent: int
    count: int
    amount_cents: int
    second_cents: int

    @property
    def difference_cents(self) -> int:
        """Return the first amount less the second."""
        return self.amount_cents - self.second_cents


@dataclass(frozen=True, slots=True)
class ReopenedRow:
    """A closed period that changed."""

    words: str
    version: int
    before_cents: int
    after_cents: int
    items: tuple[Item, ...]
    more: int
    """Lines beyond those in `items`."""
    is_this_period: bool

    @property
    def delta_cents(self) -> int:
        """Return by how much the difference changed."""
        return self.after_cents - self.before_cents


@dataclass(frozen=True, slots=True)
class Contents:
    """Everything that a letter or a page says about one report."""

    statement: Statement
    practice_name: str
    period_words: str
    headline: str
    outcome: str
    """The headline in a few words, for a subject line or a list."""
    explaining: tuple[ClassRow, ...]
    """The classes that make up the difference."""
    listed: tuple[ClassRow, ...]
    """The classes that explain nothing: never hidden."""
    to_do: tuple[Item, ...]
    """What a person has to do: critical first, then oldest first; earlier periods included."""
    kinds: tuple[KindRow, ...]
    days: tuple[Bar, ...]
    refunds: tuple[Bar, ...]
    unapplied: tuple[Bar, ...]
    reopened: tuple[ReopenedRow, ...]
    not_read: tuple[str, ...]
    """What could not be read or understood: a sentence each."""
    left_out: tuple[ClassRow, ...]
    """The classes that agree and are too long for the files."""

    @property
    def not_read_shown(self) -> tuple[str, ...]:
        """Return as many of these sentences as a letter has room for."""
        return self.not_read[:_SENTENCES_SHOWN]

    @property
    def is_calm(self) -> bool:
        """Say whether nobody has to look at anything."""
        return not self.to_do and not self.not_read

    @property
    def has_critical(self) -> bool:
        """Say whether money or a chart is wrong."""
        return any(item.is_critical for item in self.to_do)


def contents_of(statement: Statement) -> Contents:
    """Return what the report of a statement says.

    Raises `ReconciliationError` when its sums do not tie: such a report must not leave as if they did.
    """
    _assert_ties(statement)
    to_do = _to_do(statement)
    rows = tuple(_class_row(total) for total in statement.classes)
    return Contents(
        statement=statement,
        practice_name=one_line(statement.practice_name, longest=LONGEST_NAME),
        period_words=period_words(statement.period),
        headline=write_headline(statement, to_do),
        outcome=write_outcome(statement, to_do),
        explaining=tuple(row for row in rows if row.explains_cents),
        listed=tuple(row for row in rows if not row.explains_cents),
        to_do=to_do,
        kinds=_kinds(to_do),
        days=_day_bars(statement.days) if statement.period.kind is not PeriodKind.DAY else (),
        refunds=_band_bars(statement.refund_ageing),
        unapplied=_band_bars(statement.unapplied),
        reopened=tuple(_reopened_row(reopening, statement) for reopening in statement.reopened),
        not_read=tuple(one_line(sentence) for _, sentence in sorted(statement.notes.items())),
        left_out=_left_out(rows),
    )


def _assert_ties(statement: Statement) -> None:
    counted: dict[DifferenceClass, tuple[int, int, int, int]] = {}
    for line in statement.lines:
        count, store, nextech, explains = counted.get(line.class_, (0, 0, 0, 0))
        counted[line.class_] = (
            count + 1,
            store + line.store_cents,
            nextech + line.nextech_cents,
            explains + line.explains_cents,
        )
    said = {row.class_: (row.count, row.store_cents, row.nextech_cents, row.explains_cents) for row in statement.classes}
    sides = (
        sum(row.store_cents for row in statement.classes) == statement.store_in_cents - statement.store_back_cents,
        sum(row.nextech_cents for row in statement.classes) == statement.posted_cents - statement.recorded_back_cents,
    )
    if not statement.is_tied or not all(sides) or said != counted or len(said) != len(statement.classes):
        msg = (
            f"report {statement.report_id} does not tie: the difference is {statement.variance_cents} cents, the classes"
            f" explain {statement.explained_cents}, the lines {sum(line.explains_cents for line in statement.lines)}"
        )
        raise ReconciliationError(msg)


def _to_do(statement: Statement) -> tuple[Item, ...]:
    now = [item_of(line) for line in statement.lines if needs_a_person(line)]
    listed = {(item.subject, TEXTS[item.class_].section) for item in now}
    earlier = [
        item_of(line, is_earlier=True)
        for line in statement.still_open
        if (line.subject, TEXTS[line.class_].section) not in listed
    ]
    return tuple(sorted([*now, *earlier], key=lambda item: (not item.is_critical, -(item.age_days or 0), item.subject)))


def _class_row(total: ClassTotal) -> ClassRow:
    text = TEXTS[total.class_]
    return ClassRow(
        class_=total.class_,
        title=text.title,
        meaning=text.meaning,
        next_step=text.next_step,
        count=total.count,
        explains_cents=total.explains_cents,
        is_critical=text.weight is Weight.CRITICAL,
    )


def _left_out(rows: tuple[ClassRow, ...]) -> tuple[ClassRow, ...]:
    """Return the classes to leave out of the files, the longest first, until what is left is not too long."""
    count, left_out = sum(row.count for row in rows), []
    for row in sorted(rows, key=lambda row: -row.count):
        if count > LINES_OF_THE_FILES and TEXTS[row.class_].weight is Weight.FINE:
            left_out.append(row)
            count -= row.count
    return tuple(left_out)


def _kinds(items: Iterable[Item]) -> tuple[KindRow, ...]:
    by_class: dict[DifferenceClass, list[Item]] = {}
    for item in items:
        by_class.setdefault(item.class_, []).append(item)
    rows = (
        KindRow(
            class_=class_,
            title=TEXTS[class_].title,
            count=len(members),
            amount_cents=sum(member.amount_cents for member in members),
            oldest_days=max((member.age_days for member in members if member.age_days is not None), default=None),
        )
        for class_, members in by_class.items()
    )
    return tuple(
        sorted(rows, key=lambda row: (TEXTS[row.class_].weight is not Weight.CRITICAL, -(row.oldest_days or 0), row.title))
    )


def _percent(amount: int, largest: int) -> int:
    """Return the length of a bar; what is there at all is seen."""
    return max(1, round(100 * amount / largest)) if amount > 0 and largest > 0 else 0


def _day_bars(days: tuple[DayTotal, ...]) -> tuple[Bar, ...]:
    largest = max((max(day.store_cents, day.nextech_cents) for day in days), default=0)
    return tuple(
        Bar(
            label=short_day(day.day),
            percent=_percent(day.store_cents, largest),
            second_percent=_percent(day.nextech_cents, largest),
            count=0,
            amount_cents=day.store_cents,
            second_cents=day.nextech_cents,
        )
        for day in days
    )


def _band_bars(bands: tuple[AgeBand, ...]) -> tuple[Bar, ...]:
    largest = max((band.amount_cents for band in bands), default=0)
    return tuple(
        Bar(
            label=one_line(band.title, longest=LONGEST_NAME),
            percent=_percent(band.amount_cents, largest),
            second_percent=0,
            count=band.count,
            amount_cents=band.amount_cents,
            second_cents=0,
        )
        for band in bands
    )


def _reopened_row(reopening: Reopening, statement: Statement) -> ReopenedRow:
    shown = reopening.lines[:_LINES_OF_A_REOPENING]
    known = {line.subject for line in (*statement.lines, *statement.still_open)}
    return ReopenedRow(
        words=period_words(reopening.period, with_year=True),
        version=reopening.version,
        before_cents=reopening.before_cents,
        after_cents=reopening.after_cents,
        # The lines carry the change of their amounts; what to do about them stands on the to-do list.
        items=tuple(
            replace(item_of(line, is_elsewhere=line.subject not in known), next_step="", store_cents=0, nextech_cents=0)
            for line in shown
        ),
        more=len(reopening.lines) - len(shown),
        is_this_period=reopening.period == statement.period,
    )
