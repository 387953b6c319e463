"""Mornings of a practice: what is reported, what is re-opened later, and what becomes of a report that cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import httpx
import pytest

from order_sync.alarms import alarm_for, has_failed
from order_sync.errors import LedgerBusyError, OutOfTimeError, ReconciliationError, SourceUnavailableError
from order_sync.ledger.claims import take_claim
from order_sync.ledger.differences import open_differences
from order_sync.ledger.report_models import DifferenceState
from order_sync.ledger.reports import find_report, last_reports, read_statement, reported_periods
from order_sync.reasons import Reason
from order_sync.reconcile import reconcile_periods
from order_sync.reconciliation import proof
from order_sync.reconciliation.classes import DifferenceClass
from order_sync.reconciliation.periods import Period, day_of, month_of
from order_sync.reconciliation.statement import Statement
from order_sync.reports.letters import AlarmKind, Letter, compose_letter
from sandbox.nextech.books import BookedPayment
from sandbox.store.faults import Effect as StoreEffect
from sandbox.store.refunds import refund
from tests.worlds import Between, SmallWorld

WEDNESDAY = date(2026, 11, 18)
THURSDAY = date(2026, 11, 19)
FRIDAY = date(2026, 11, 20)


def morning_after(world: SmallWorld, day: date) -> None:
    """Let the clock come to the next morning, nine hours after the day has ended."""
    at = day_of(day).cut_off(world.desk().practice) + timedelta(hours=9)
    world.clock.advance(minutes=(at - world.clock.now()).total_seconds() / 60)


def report(world: SmallWorld, *periods: Period) -> list[Statement]:
    """Reconcile these periods; return what was kept."""
    ids = reconcile_periods(world.desk(), periods)
    with world.ledger.transaction() as tx:
        rows = [find_report(tx, report_id) for report_id in ids]
        return [read_statement(tx, row) for row in rows if row is not None]


def classes_of(statement: Statement) -> dict[DifferenceClass, int]:
    return {total.class_: total.count for total in statement.classes}


def letters_of(statements: list[Statement]) -> list[Letter]:
    return [compose_letter(statement) for statement in statements]


def sync_on_wednesday(world: SmallWorld) -> list[BookedPayment]:
    world.run_after(minutes=(0, 15))
    assert len(world.booked()) == 4
    return world.booked()


def test_a_day_on_which_everything_was_posted_agrees_to_the_cent(four: SmallWorld):
    booked = sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    (day,) = report(four, day_of(WEDNESDAY))
    assert classes_of(day) == {DifferenceClass.MATCHED: 4}
    assert day.variance_cents == 0
    assert day.posted_cents == day.store_in_cents == sum(row.amount_cents for row in booked)


def test_orders_that_the_sync_never_saw_are_found_without_it(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    (day,) = report(four, day_of(WEDNESDAY))
    assert classes_of(day) == {DifferenceClass.NEVER_SEEN: 4}
    assert day.variance_cents == day.store_in_cents > 0


def test_running_a_closed_day_again_gives_the_same_letter_to_the_byte(four: SmallWorld):
    sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    first = report(four, day_of(WEDNESDAY), month_of(date(2026, 10, 1)))
    four.clock.advance(minutes=7 * 60)
    again = report(four, day_of(WEDNESDAY), month_of(date(2026, 10, 1)))
    assert [statement.version for statement in again] == [1, 1]
    assert letters_of(again) == letters_of(first)


def test_a_payment_that_staff_void_later_re_opens_its_day_and_the_next_letter_says_so(four: SmallWorld):
    booked = sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    four.staff("void", payment_id=booked[0].payment_id)
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    (reopened,) = thursday.reopened
    assert (reopened.period, reopened.version) == (day_of(WEDNESDAY), 2)
    assert reopened.after_cents - reopened.before_cents == booked[0].amount_cents
    assert [line.class_ for line in reopened.lines] == [DifferenceClass.VOIDED]
    with four.ledger.transaction() as tx:
        row = find_report(tx, "eastern-2026-11-18-v2")
        assert row is not None
        assert read_statement(tx, row).variance_cents == booked[0].amount_cents
    assert [line.class_ for line in thursday.still_open] == [DifferenceClass.VOIDED]
    letter = compose_letter(thursday)
    assert "November 18" in letter.text


def test_what_was_re_opened_is_told_once(four: SmallWorld):
    booked = sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    four.staff("void", payment_id=booked[0].payment_id)
    morning_after(four, THURSDAY)
    report(four, day_of(THURSDAY))
    morning_after(four, FRIDAY)
    (friday,) = report(four, day_of(FRIDAY))
    assert friday.reopened == ()
    assert len(friday.still_open) == 1


def test_a_difference_is_closed_by_the_report_that_no_longer_shows_it(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    with four.ledger.transaction() as tx:
        assert len(open_differences(tx, "eastern")) == 4
    four.run_after(minutes=(0, 15))
    (wednesday,) = report(four, day_of(WEDNESDAY))
    assert (wednesday.version, classes_of(wednesday)) == (2, {DifferenceClass.MATCHED: 4})
    with four.ledger.transaction() as tx:
        assert open_differences(tx, "eastern") == []


def test_a_period_is_the_sum_of_its_days(four: SmallWorld):
    sync_on_wednesday(four)
    four.clock.advance(minutes=60 * 24 * 20)
    week = Period(date(2026, 11, 16), date(2026, 11, 20))
    *days, whole = report(four, *(day_of(day) for day in week.days), week)
    assert whole.store_in_cents == sum(day.store_in_cents for day in days) > 0
    assert whole.variance_cents == sum(day.variance_cents for day in days)
    assert [each.store_cents for each in whole.days] == [day.store_in_cents - day.store_back_cents for day in days]


def test_a_store_that_cannot_be_read_makes_an_alarm_and_no_report(four: SmallWorld):
    def down(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"message": "maintenance"})

    morning_after(four, WEDNESDAY)
    desk = four.desk(store_wrap=lambda inner: Between(inner, down))
    with pytest.raises(SourceUnavailableError):
        reconcile_periods(desk, [day_of(WEDNESDAY)])
    with four.ledger.transaction() as tx:
        assert last_reports(tx, "eastern") == []
        alarm = alarm_for(tx, desk.practice, day_of(WEDNESDAY))
    assert alarm.kind is AlarmKind.STORE_UNREADABLE
    assert "status 503" in alarm.message
    report(four, day_of(WEDNESDAY))
    assert four.open_reasons() == []


def test_sums_that_do_not_tie_make_an_alarm_and_no_report(four: SmallWorld, monkeypatch: pytest.MonkeyPatch):
    sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    honest: Callable[..., int] = proof._money_of_store
    monkeypatch.setattr(proof, "_money_of_store", lambda facts, period: honest(facts, period) + 1)
    with pytest.raises(ReconciliationError, match=r"eastern 2026-11-18: store side"):
        reconcile_periods(four.desk(), [day_of(WEDNESDAY)])
    with four.ledger.transaction() as tx:
        assert last_reports(tx, "eastern") == []
        alarm = alarm_for(tx, four.desk().practice, day_of(WEDNESDAY))
    assert alarm.kind is AlarmKind.NOT_TIED
    assert "the lines say" in alarm.message
    monkeypatch.undo()
    report(four, day_of(WEDNESDAY))
    assert four.open_cases() == []


def test_a_day_that_does_not_tie_keeps_no_other_day_from_its_report(four: SmallWorld, monkeypatch: pytest.MonkeyPatch):
    sync_on_wednesday(four)
    morning_after(four, FRIDAY)
    honest: Callable[..., int] = proof._money_of_store
    monkeypatch.setattr(proof, "_money_of_store", lambda facts, period: honest(facts, period) + (period == day_of(WEDNESDAY)))
    with pytest.raises(ReconciliationError, match=r"eastern 2026-11-18: store side"):
        reconcile_periods(four.desk(), [day_of(WEDNESDAY), day_of(THURSDAY), day_of(FRIDAY)])
    with four.ledger.transaction() as tx:
        assert [row.first_day for row in last_reports(tx, "eastern")] == [FRIDAY, THURSDAY]
        assert [has_failed(tx, "eastern", day_of(day)) for day in (WEDNESDAY, THURSDAY, FRIDAY)] == [True, False, False]


def test_an_earlier_day_that_no_longer_ties_makes_the_run_red_and_keeps_the_new_report(
    four: SmallWorld, monkeypatch: pytest.MonkeyPatch
):
    sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    morning_after(four, THURSDAY)
    honest: Callable[..., int] = proof._money_of_store
    monkeypatch.setattr(proof, "_money_of_store", lambda facts, period: honest(facts, period) + (period == day_of(WEDNESDAY)))
    with pytest.raises(ReconciliationError, match=r"eastern 2026-11-18: store side"):
        reconcile_periods(four.desk(), [day_of(THURSDAY)])
    with four.ledger.transaction() as tx:
        assert not has_failed(tx, "eastern", day_of(THURSDAY))
        assert day_of(THURSDAY) in reported_periods(tx, "eastern")
    monkeypatch.undo()
    morning_after(four, FRIDAY)
    report(four, day_of(FRIDAY))
    assert four.open_cases() == []


def test_news_of_a_re_opened_day_is_not_lost_with_the_process_that_found_it(four: SmallWorld, monkeypatch: pytest.MonkeyPatch):
    booked = sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    four.staff("void", payment_id=booked[0].payment_id)
    morning_after(four, THURSDAY)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("order_sync.reconcile._report", die)
        with pytest.raises(KeyboardInterrupt):
            reconcile_periods(four.desk(), [day_of(THURSDAY)])
    (thursday,) = report(four, day_of(THURSDAY))
    assert [reopening.period for reopening in thursday.reopened] == [day_of(WEDNESDAY)]


def test_news_that_a_day_which_is_sent_again_cannot_tell_waits_for_the_next_one(four: SmallWorld):
    booked = sync_on_wednesday(four)
    morning_after(four, THURSDAY)
    first = report(four, day_of(WEDNESDAY), day_of(THURSDAY))[1]
    four.staff("void", payment_id=booked[0].payment_id)
    (again,) = report(four, day_of(THURSDAY))
    assert letters_of([again]) == letters_of([first])
    morning_after(four, FRIDAY)
    (friday,) = report(four, day_of(FRIDAY))
    assert [(reopening.period, reopening.version) for reopening in friday.reopened] == [(day_of(WEDNESDAY), 2)]


def test_an_entry_that_staff_void_is_no_difference_any_more(four: SmallWorld):
    booked = sync_on_wednesday(four)
    by_hand = four.staff(
        "hand-payment", patient_id=booked[0].patient_id, amount_cents=12_34, business_day=WEDNESDAY.isoformat(), note="by hand"
    )
    morning_after(four, WEDNESDAY)
    (wednesday,) = report(four, day_of(WEDNESDAY))
    assert classes_of(wednesday)[DifferenceClass.UNLINKED] == 1
    with four.ledger.transaction() as tx:
        assert [row.class_ for row in open_differences(tx, "eastern")] == ["unlinked"]
    four.staff("void", payment_id=by_hand)
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert thursday.still_open == ()
    with four.ledger.transaction() as tx:
        assert open_differences(tx, "eastern") == []


def test_a_payment_that_could_not_be_compared_is_remarked_on_its_own_day_and_an_order_of_no_known_day_on_each(four: SmallWorld):
    sync_on_wednesday(four)
    morning_after(four, WEDNESDAY)
    four.plant_in_store(StoreEffect.POISON, order_id=min(four.shop.orders))
    (wednesday,) = report(four, day_of(WEDNESDAY))
    assert [subject.split(":")[0] for subject in wednesday.notes] == ["entry", "order"]
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert [subject.split(":")[0] for subject in thursday.notes] == ["order"]


def test_a_difference_that_only_a_longer_report_has_shown_is_closed_when_it_is_fixed(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    report(four, Period(date(2026, 10, 1), WEDNESDAY))
    four.run_after(minutes=(0, 15))
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert thursday.still_open == ()
    with four.ledger.transaction() as tx:
        assert open_differences(tx, "eastern") == []


def test_a_difference_whose_order_cannot_be_read_stays_open(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    four.plant_in_store(StoreEffect.POISON, order_id=min(four.shop.orders))
    four.run_after(minutes=(0, 15))
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert [line.entity_id for line in thursday.still_open] == [min(four.shop.orders)]


def test_two_runs_do_not_reconcile_one_practice_at_once(four: SmallWorld):
    with four.ledger.transaction() as tx:
        take_claim(tx, "reconcile:eastern", holder="another run", seconds=900)
    with pytest.raises(LedgerBusyError, match="another run is reconciling"):
        reconcile_periods(four.desk(), [day_of(WEDNESDAY)])


def test_the_periods_that_were_reported_are_known(four: SmallWorld):
    with four.ledger.transaction() as tx:
        assert reported_periods(tx, "eastern") == frozenset()
    morning_after(four, THURSDAY)
    report(four, day_of(WEDNESDAY), day_of(THURSDAY), month_of(date(2026, 10, 1)))
    with four.ledger.transaction() as tx:
        october = month_of(date(2026, 10, 1))
        assert reported_periods(tx, "eastern") == {day_of(WEDNESDAY), day_of(THURSDAY), october}
        assert reported_periods(tx, "central") == frozenset()


def test_a_difference_keeps_its_owner_in_the_next_report(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    report(four, day_of(WEDNESDAY))
    with four.ledger.transaction() as tx:
        row = open_differences(tx, "eastern")[0]
        row.owner, row.state = "pat", DifferenceState.ASSIGNED
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert [line.owner for line in thursday.still_open].count("pat") == 1


def test_a_refund_is_owed_until_staff_record_it_and_the_days_say_so(four: SmallWorld):
    booked = sync_on_wednesday(four)
    paid = booked[0]
    record = next(one for one in four.shop.books().orders if int(one.grand_total * 100) == paid.amount_cents)
    morning_after(four, WEDNESDAY)
    refund(four.shop, record.entity_id)
    morning_after(four, THURSDAY)
    (thursday,) = report(four, day_of(THURSDAY))
    assert classes_of(thursday) == {DifferenceClass.REFUND_TO_RECORD: 1}
    assert thursday.variance_cents == -paid.amount_cents
    assert [(band.count, band.amount_cents) for band in thursday.refund_ageing if band.count] == [(1, paid.amount_cents)]
    assert four.open_reasons() == [Reason.REFUND_TO_RECORD]
    four.staff("refund", patient_id=paid.patient_id, amount_cents=paid.amount_cents, business_day=THURSDAY.isoformat())
    morning_after(four, FRIDAY)
    (friday,) = report(four, day_of(FRIDAY))
    assert four.open_reasons() == []
    (reopened,) = friday.reopened
    assert (reopened.period, reopened.after_cents) == (day_of(THURSDAY), 0)
    assert not [band for band in friday.refund_ageing if band.count]


def test_a_reading_that_does_not_end_in_time_keeps_nothing_and_says_where_it_stood(four: SmallWorld):
    morning_after(four, WEDNESDAY)
    desk = replace(four.desk(), ends_at=four.clock.monotonic())
    with pytest.raises(OutOfTimeError, match="practice eastern: no time was left"):
        reconcile_periods(desk, [day_of(WEDNESDAY)])
    with four.ledger.transaction() as tx:
        assert last_reports(tx, "eastern") == []
        assert alarm_for(tx, desk.practice, day_of(WEDNESDAY)).kind is AlarmKind.FAILED


def test_a_month_is_re_opened_with_the_day_that_changed_as_long_as_its_end_is_not_31_days_back(four: SmallWorld):
    booked = sync_on_wednesday(four)
    last_day, tenth = date(2026, 11, 30), date(2026, 12, 10)
    morning_after(four, last_day)
    report(four, day_of(WEDNESDAY), day_of(last_day), month_of(WEDNESDAY))
    four.staff("void", payment_id=booked[0].payment_id)
    morning_after(four, tenth)
    (told,) = report(four, day_of(tenth))
    assert [(one.period, one.version) for one in told.reopened] == [(month_of(WEDNESDAY), 2), (day_of(WEDNESDAY), 2)]
    assert {one.after_cents - one.before_cents for one in told.reopened} == {booked[0].amount_cents}
