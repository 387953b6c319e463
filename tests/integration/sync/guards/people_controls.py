"""The table of what keeps people's decisions in order: how each is broken, and the day that notices."""

from __future__ import annotations

from order_sync.patients import Patient
from order_sync.reasons import Reason
from order_sync.statuses import OrderState
from tests.integration.sync.guards import breaking as by
from tests.integration.sync.guards import looking_schedules as look
from tests.integration.sync.guards import people_breaking as people_by
from tests.integration.sync.guards import people_schedules as people
from tests.integration.sync.guards.controls import Control
from tests.integration.sync.guards.ground import Schedule

SEND_ANY = people_by.take_for_queued(Reason.DUPLICATED_CUSTOMER)
POST_ANY_AGAIN = people_by.take_for_queued(Reason.OUTCOME_UNKNOWN)
ANY_REASON = by.put(frozenset(Reason), "order_sync.resolve.PATIENT_TO_PICK")
RERUN_FOR_ANY_REASON = by.put(frozenset(Reason), "order_sync.rerun.POST_AGAIN")

PEOPLE_CONTROLS: dict[str, Control] = {
    "a person's version is not compared": Control(
        "R10",
        by.WHATEVER_THE_VERSION,
        look.a_case_that_changed_since_the_person_saw_it,
        "lost",
    ),
    "post again at once": Control(
        "24 hours",
        by.returns(by.AT_ONCE, "order_sync.decisions.timedelta"),
        look.three_hours_late_and_an_impatient_person,
        "doubled",
    ),
    "post again without a fresh read": Control(
        "fresh read and R0",
        by.both(by.returns(by.ABSENT, "order_sync.resolve.verdict_on"), by.ABSENT_BEFORE_THE_POST),
        look.two_days_late_and_a_person,
        "doubled",
    ),
    "Send takes an order that is being posted": Control(
        "R9 and attempts", by.both(SEND_ANY, people_by.NO_ATTEMPT), people.sent_while_it_is_posted, "stuck"
    ),
    "post again takes an order that is being posted": Control(
        "R9 and attempts", by.both(POST_ANY_AGAIN, people_by.NO_ATTEMPT), people.posted_again_while_it_is_posted, "stuck"
    ),
    "a rerun takes an order that is being posted": Control(
        "R9 and attempts",
        by.both(people_by.rerun_whatever_its_state, people_by.NO_ATTEMPT_FOR_A_RERUN),
        people.rerun_while_it_is_posted,
        "stuck",
    ),
    "dismiss takes an order that is being posted": Control(
        "R9, steps and trigger", people_by.DISMISS_WHATEVER_ITS_STATE, people.dismissed_while_it_is_posted, "stuck"
    ),
    "a rerun takes an intent before its deadline": Control(
        "R9",
        by.put(by.overdue_at_once, "order_sync.verify.overdue_attempts"),
        people.rerun_while_it_is_refused,
        "wrong text",
    ),
    "an account is looked for before its deadline": Control(
        "R9",
        by.put(by.overdue_at_once, "order_sync.accounts.overdue_attempts"),
        look.another_run_looks_while_an_account_is_refused,
        "wrong text",
    ),
    "Send does not compare the version": Control(
        "R10",
        by.WHATEVER_THE_VERSION,
        people.sent_from_a_page_on_which_it_waited_for_something_else,
        "wrong patient",
    ),
    "post again does not compare the version": Control(
        "R10",
        by.WHATEVER_THE_VERSION,
        people.posted_again_from_a_page_before_it_was_entered_by_hand,
        "doubled",
    ),
    "post again does not compare the version after its read": Control(
        "R10",
        by.both(by.WHATEVER_THE_VERSION, by.put(by.move_whatever_the_version, "order_sync.resolve.move")),
        people.posted_again_by_two_people,
        "stuck",
    ),
    "post again passes over an entry by hand that nobody was asked about": Control(
        "R10",
        by.returns(True, "order_sync.resolve._was_asked_about"),
        people.entered_by_hand_just_before_it_is_posted_again,
        "doubled",
    ),
    "Send takes an order whose outcome is unknown": Control(
        "24 hours and attempts", by.both(ANY_REASON, people_by.NO_ATTEMPT), people.sent_with_an_unknown_outcome, "doubled"
    ),
    "a rerun takes an order whose outcome is unknown": Control(
        "24 hours and attempts",
        by.both(RERUN_FOR_ANY_REASON, people_by.NO_ATTEMPT_FOR_A_RERUN),
        people.rerun_with_an_unknown_outcome,
        "doubled",
    ),
    "Send takes a chart that does not exist": Control(
        "chart",
        by.returns(Patient("nobody"), "order_sync.clients.nextech.NextechClient.read_patient"),
        people.a_chart_is_picked_that_does_not_exist,
        "wrong text",
    ),
}

PEOPLE_COVERED: dict[str, tuple[by.Break, Schedule]] = {
    "post again without a fresh read": (
        by.returns(by.ABSENT, "order_sync.resolve.verdict_on"),
        look.two_days_late_and_a_person,
    ),
    "Send takes an order that is being posted": (SEND_ANY, people.sent_while_it_is_posted),
    "Send asks for no attempt": (people_by.NO_ATTEMPT, people.sent_while_it_is_posted),
    "Send takes an order whose outcome is unknown": (ANY_REASON, people.sent_with_an_unknown_outcome),
    "post again takes an order that is being posted": (POST_ANY_AGAIN, people.posted_again_while_it_is_posted),
    "post again asks for no attempt": (people_by.NO_ATTEMPT, people.posted_again_while_it_is_posted),
    "a rerun takes an order that is being posted": (people_by.rerun_whatever_its_state, people.rerun_while_it_is_posted),
    "a rerun asks for no attempt": (people_by.NO_ATTEMPT_FOR_A_RERUN, people.rerun_while_it_is_posted),
    "a rerun takes an order whose outcome is unknown": (RERUN_FOR_ANY_REASON, people.rerun_with_an_unknown_outcome),
    "the code lets a person dismiss what is being posted": (
        people_by.allow((OrderState.INTENT, OrderState.CLOSED)),
        people.dismissed_while_it_is_posted,
    ),
    "the database lets a person dismiss what is being posted": (
        people_by.drop_the_trigger_of_steps,
        people.dismissed_while_it_is_posted,
    ),
}
